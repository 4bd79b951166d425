// The curve of «Misure elettriche»: the mean power of each quarter-hour, drawn by uPlot.
"use strict";
{
  const ROME = "Europe/Rome";
  const SPOKEN = document.documentElement.lang;
  const LOCALE = SPOKEN === "en" ? "en-GB" : SPOKEN; // a date begins with the day
  const QUARTER_HOUR = 900; // seconds, as all times of uPlot
  const HOUR = 3600;
  const DAY = 86400;
  const [MEASURED, ESTIMATED] = [0, 1];

  const clock = (options) => {
    const format = new Intl.DateTimeFormat(LOCALE, { timeZone: ROME, ...options });
    return (seconds) => format.format(seconds * 1000);
  };
  const dayAndMonth = clock({ day: "2-digit", month: "2-digit" });
  const wholeDay = clock({ day: "2-digit", month: "2-digit", year: "numeric" });
  const year = clock({ year: "numeric" });
  const time = clock({ hour: "2-digit", minute: "2-digit" });
  const number = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 3 });

  let shown = null; // {figure, chart, observer} of the curve on the page

  // Days of [start, estimated, Wh…] as uPlot's columns: times, measured kW, estimated kW.
  function columns(days) {
    const times = [];
    const power = [[], []];
    const put = (at, value, kind) => {
      times.push(at);
      power[kind].push(value);
      power[1 - kind].push(null);
    };
    days.forEach(([start, kind, values], place) => {
      values.forEach((energy, n) => put(start + n * QUARTER_HOUR, energy / 250, kind));
      const end = start + values.length * QUARTER_HOUR;
      const next = days[place + 1];
      if (next && next[0] === end && next[1] === kind) return;
      put(end - 1, values[values.length - 1] / 250, kind); // the last one lasts as long
      if (next && next[0] !== end) put(end, null, kind); // days without measures: a gap
    });
    return [times, ...power];
  }

  const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(name);

  // The stretches of estimated days stand on a ground of their own.
  function estimatedGrounds(days) {
    const grounds = days
      .filter(([, kind]) => kind === ESTIMATED)
      .map(([start, , values]) => [start, start + values.length * QUARTER_HOUR]);
    return (u) => {
      const { min, max } = u.scales.x;
      u.ctx.fillStyle = colour("--wait-bg")();
      for (const [from, to] of grounds) {
        if (to <= min || from >= max) continue;
        const left = Math.floor(u.valToPos(Math.max(from, min), "x", true));
        const right = Math.ceil(u.valToPos(Math.min(to, max), "x", true));
        u.ctx.fillRect(left, u.bbox.top, right - left, u.bbox.height);
      }
    };
  }

  function timeLabels(u, splits, axis, space, step) {
    const [main, under] = step >= DAY ? [dayAndMonth, year] : [time, dayAndMonth];
    let before = null;
    return splits.map((at) => {
      const below = under(at);
      const label = below === before ? main(at) : `${main(at)}\n${below}`;
      before = below;
      return label;
    });
  }

  function options(figure, days) {
    const linear = uPlot.paths.linear();
    const stepped = uPlot.paths.stepped({ align: 1 });
    // With more quarter-hours in sight than pixels nobody sees a step, and lines are quicker.
    const paths = (u, series, from, to) =>
      (to - from > u.bbox.width ? linear : stepped)(u, series, from, to);
    const line = (name) => ({ stroke: colour(name), width: 1.5, paths, points: { show: false } });
    const axis = {
      stroke: colour("--ink-2"),
      font: "14px system-ui, sans-serif",
      labelFont: "14px system-ui, sans-serif",
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { stroke: colour("--line"), width: 1 },
    };
    return {
      ...size(figure),
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), ROME),
      cursor: { drag: { x: true, y: false, dist: 6 }, y: false, dataIdx: under },
      scales: { y: { range: (u, least, most) => [0, most > 0 ? most * 1.06 : 1] } },
      series: [{}, line("--accent"), line("--wait")],
      axes: [
        { ...axis, values: timeLabels, space: 70, size: 52 },
        {
          ...axis,
          values: (u, splits) => splits.map((value) => number.format(value)),
          label: figure.dataset.unit,
          size: 58,
          labelSize: 22,
        },
      ],
      hooks: {
        drawClear: [estimatedGrounds(days)],
        draw: [() => { figure.dataset.state = "drawn"; }],
        setCursor: [(u) => readOut(figure, u)],
        setScale: [(u, scale) => { if (scale === "x") tellRange(figure, u); }],
      },
    };
  }

  // The quarter-hour in which the pointer is, where uPlot would take the nearest beginning.
  function under(u, series, nearest, at) {
    return nearest > 0 && u.data[0][nearest] > at ? nearest - 1 : nearest;
  }

  function size(figure) {
    const width = figure.querySelector(".curve-plot").clientWidth;
    return { width, height: width < 600 ? 280 : 360 };
  }

  function readOut(figure, u) {
    const line = figure.querySelector(".curve-readout");
    const at = u.cursor.idxs[1];
    const kind = [MEASURED, ESTIMATED].find((each) => u.data[1 + each][at] != null);
    if (kind === undefined) {
      line.textContent = line.dataset.hint;
      return;
    }
    const start = u.data[0][at] - (u.data[0][at] % QUARTER_HOUR);
    const value = `${number.format(u.data[1 + kind][at])} ${figure.dataset.unit}`;
    const note = kind === ESTIMATED ? ` (${figure.dataset.estimated})` : "";
    line.textContent = `${wholeDay(start)}, ${time(start)}${whichHour(figure, start)}: ${value}${note}`;
  }

  // In October an hour comes twice.
  function whichHour(figure, start) {
    if (time(start) === time(start + HOUR)) return ` (${figure.dataset.summer})`;
    return time(start) === time(start - HOUR) ? ` (${figure.dataset.winter})` : "";
  }

  function tellRange(figure, u) {
    const told = (at) => `${wholeDay(at)} ${time(at)}`;
    figure.querySelector(".curve-range").textContent = figure.dataset.range
      .replace("{since}", told(u.scales.x.min))
      .replace("{until}", told(u.scales.x.max));
  }

  function move(u, how) {
    const first = u.data[0][0];
    const last = u.data[0][u.data[0].length - 1];
    let { min, max } = u.scales.x;
    const half = (max - min) / 2;
    if (how === "in" && half > 4 * QUARTER_HOUR) [min, max] = [min + half / 2, max - half / 2];
    if (how === "out") [min, max] = [min - half, max + half];
    if (how === "back") [min, max] = [min - half, max - half];
    if (how === "ahead") [min, max] = [min + half, max + half];
    if (how === "all") [min, max] = [first, last];
    const span = Math.min(max - min, last - first);
    min = Math.max(first, Math.min(min, last - span));
    u.setScale("x", { min, max: min + span });
  }

  function show(figure, days) {
    const plot = figure.querySelector(".curve-plot");
    const chart = new uPlot(options(figure, days), columns(days), plot);
    chart.ctx.canvas.setAttribute("role", "img");
    chart.ctx.canvas.setAttribute("aria-label", figure.dataset.label);
    const tools = figure.querySelector(".curve-tools");
    tools.hidden = false;
    tools.addEventListener("click", (event) => {
      const button = event.target.closest("[data-move]");
      if (button) move(chart, button.dataset.move);
    });
    readOut(figure, chart);
    const observer = new ResizeObserver(() => {
      const wanted = size(figure);
      if (wanted.width && wanted.width !== chart.width) chart.setSize(wanted);
    });
    observer.observe(plot);
    shown = { figure, chart, observer };
  }

  async function load(figure) {
    figure.dataset.state = "loading";
    try {
      const answer = await fetch(figure.dataset.curve);
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      const days = await answer.json();
      if (figure.isConnected) show(figure, days);
    } catch {
      figure.dataset.state = "failed";
      figure.querySelector(".curve-readout").textContent = figure.dataset.failed;
    }
  }

  // The curve of the page, at first and whenever htmx has brought that of another interval.
  function look() {
    if (shown && !shown.figure.isConnected) {
      shown.observer.disconnect();
      shown.chart.destroy();
      shown = null;
    }
    const figure = document.querySelector(".curve:not([data-state])");
    if (figure) load(figure);
  }

  document.addEventListener("htmx:after:swap", look);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    if (shown) shown.chart.redraw(false);
  });
  look();
}
