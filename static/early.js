// Before anything is drawn: scripts run here, so what they make needless is never shown.
document.documentElement.classList.add("scripted");
