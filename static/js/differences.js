// Which words two texts do not share, and how to mark them without touching the page: the CSS Custom Highlight API.
"use strict";

window.differences = (() => {
  const WORDS = 6000; // a side; beyond that, or with more differences than this, the page says so instead of stalling
  const DIFFERENCES = 4000;
  const supported = Boolean(window.CSS && CSS.highlights && window.Highlight);

  function words(root) {
    const found = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      for (const match of node.data.matchAll(/[\p{L}\p{N}\p{M}]+|[^\s\p{L}\p{N}\p{M}]/gu)) {
        found.push({ place: found.length, node, start: match.index, end: match.index + match[0].length, text: match[0] });
      }
    }
    return found;
  }

  // Myers' O(ND) walk. Returns for each side the words that are not on the longest common path; null where there are too many.
  function changed(a, b) {
    let from = 0;
    let endA = a.length;
    let endB = b.length;
    while (from < endA && from < endB && a[from].text === b[from].text) from += 1;
    while (endA > from && endB > from && a[endA - 1].text === b[endB - 1].text) { endA -= 1; endB -= 1; }
    const n = endA - from;
    const m = endB - from;
    const most = Math.min(n + m, DIFFERENCES);
    const far = new Int32Array(2 * most + 3);
    const trail = [];
    const offset = most + 1;
    for (let d = 0; d <= most; d += 1) {
      trail.push(far.slice(offset - d - 1, offset + d + 2));
      for (let k = -d; k <= d; k += 2) {
        let x = k === -d || (k !== d && far[offset + k - 1] < far[offset + k + 1]) ? far[offset + k + 1] : far[offset + k - 1] + 1;
        let y = x - k;
        while (x < n && y < m && a[from + x].text === b[from + y].text) { x += 1; y += 1; }
        far[offset + k] = x;
        if (x >= n && y >= m) return back(a, b, from, n, m, trail);
      }
    }
    return null;
  }

  function back(a, b, from, n, m, trail) {
    const left = [];
    const right = [];
    let x = n;
    let y = m;
    for (let d = trail.length - 1; d > 0; d -= 1) {
      const far = (k) => trail[d][k + d + 1];
      const k = x - y;
      const down = k === -d || (k !== d && far(k - 1) < far(k + 1));
      const beforeK = down ? k + 1 : k - 1;
      const beforeX = far(beforeK);
      const beforeY = beforeX - beforeK;
      if (down) right.push(b[from + beforeY]);
      else left.push(a[from + beforeX]);
      x = beforeX;
      y = beforeY;
    }
    return [left, right];
  }

  // One range a stretch: a lone shared word between two changed ones is chance, and a broken underline is hard to read.
  function ranges(marked) {
    const stretches = [];
    for (const word of marked.sort((a, b) => a.place - b.place)) {
      const last = stretches.at(-1);
      if (last?.node === word.node && word.place - last.place <= 2) Object.assign(last, { end: word.end, place: word.place });
      else stretches.push({ ...word });
    }
    return stretches.map(({ node, start, end }) => new StaticRange({ startContainer: node, startOffset: start, endContainer: node, endOffset: end }));
  }

  // Marks what differs between two elements; false where they are too long to compare.
  function show(one, other) {
    const a = words(one);
    const b = words(other);
    const sides = a.length > WORDS || b.length > WORDS ? null : changed(a, b);
    if (sides) CSS.highlights.set("differs", new Highlight(...sides.flatMap(ranges)));
    return Boolean(sides);
  }

  function hide() {
    if (supported) CSS.highlights.delete("differs");
  }

  return { supported, show, hide, changed };
})();
