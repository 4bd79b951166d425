"""What axe finds on the page that a browser shows: WCAG 2.2 A and AA, and its own good practice."""

from pathlib import Path

import axe_playwright_python

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """
async (tags) => {
  const { violations } = await axe.run(document, {runOnly: tags, resultTypes: ["violations"]});
  return violations.flatMap((rule) => rule.nodes.map(
    (node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary}`));
}
"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def findings(page):
    """Sentences about what is wrong on `page`, none of a page that everybody can use."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate(RUN, TAGS)
    if page.evaluate(WIDER) > 0:
        found.append("the page scrolls sideways")
    return [f"{page.url}: {words}" for words in found]
