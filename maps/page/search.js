/* Search: stations, grids, hot spots, and the streets and places of the map. */
function folded(text) { return text.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase(); }
var KINDS_OF_PLACES = ['street', 'compound', 'place'];
function makeSearch(app) {
  var t = app.t, data = app.data, map = app.map, index = [], spot = null;
  data.layers.forEach(function (layer) {
    layer.parts.forEach(function (part, k) {
      if (!part.search) return;
      part.items.forEach(function (item, i) {
        index.push({ text: item.t, hay: folded(item.t + ' ' + (item.s || '')), kind: layer.label, layer: layer, part: k, item: item, i: i });
      });
    });
  });
  var streets = data.names ? shapes(data.names.geo) : null;
  (data.names ? data.names.words : []).forEach(function (words, i) {
    var both = words.split('\t');
    index.push({ text: both[0], hay: folded(words), kind: t['found_' + KINDS_OF_PLACES[data.names.kind[i]]], at: i });
  });
  var found = el('ul', { id: 'found', 'class': 'found' });
  found.hidden = true;
  var told = el('div', { 'class': 'unseen', 'aria-live': 'polite', id: 'found-told' });
  var search = el('input', { type: 'search', id: 'search', placeholder: t.search_hint, 'aria-label': t.search, 'aria-controls': 'found', autocomplete: 'off', spellcheck: 'false' });
  function go(hit) {
    found.hidden = true;
    if (spot) { map.removeLayer(spot); spot = null; }
    if (hit.at !== undefined) {
      var p = streets.ptr[hit.at], at = lonlat(streets.xy[2 * p], streets.xy[2 * p + 1]);
      map.setView(at, Math.max(map.getZoom(), 16), { animate: false });
      spot = L.circleMarker(at, { radius: 13, color: '#b00020', weight: 4, fill: false, interactive: false, pane: 'marked' }).addTo(map);
      app.openCard(at, { t: hit.text, s: hit.kind }, [0, -10]);
      return;
    }
    app.toggle(hit.layer.id, true);
    var part = app.built(hit.layer.id).parts[hit.part], item = hit.item;
    if (item.when && app.mode !== 'change' && item.when !== app.mode) app.setMode(item.when);
    var where = item.p ? L.latLng(item.p[1], item.p[0]) : L.latLng(part.centre(hit.i));
    var ring = part.ring ? part.ring(hit.i) : null;
    if (ring) map.fitBounds(L.polygon(ring).getBounds(), Object.assign(app.room(), { animate: false, maxZoom: 16 }));
    else map.setView(where, Math.max(map.getZoom(), 16), { animate: false });
    app.openCard(where, item, item.p ? [0, -8] : [0, 4], ring);
  }
  app.go = go;
  search.addEventListener('input', function () {
    var word = folded(search.value.trim());
    found.replaceChildren(); found.hidden = !word;
    told.textContent = '';
    if (!word) return;
    var hits = index.filter(function (x) { return x.hay.indexOf(word) >= 0; });
    var ahead = hits.filter(function (x) { return x.hay.indexOf(word) === 0; });
    hits = ahead.concat(hits.filter(function (x) { return x.hay.indexOf(word) !== 0; }));
    hits.slice(0, 12).forEach(function (hit) {
      found.appendChild(el('li', {}, [el('button', { type: 'button', onclick: function () { go(hit); } }, [el('span', { text: hit.text }), el('small', { text: hit.kind })])]));
    });
    if (!hits.length) found.appendChild(el('li', { 'class': 'none', text: t.search_none }));
    if (hits.length > 12) found.appendChild(el('li', { 'class': 'none', text: fill(t.search_more, { n: hits.length - 12 }) }));
    told.textContent = hits.length ? fill(t.search_count, { n: hits.length }) : t.search_none;
  });
  search.addEventListener('keydown', function (e) {
    var first = found.querySelector('button');
    if (e.key === 'Enter' && first) first.click();
    if (e.key === 'ArrowDown' && first) { first.focus(); e.preventDefault(); }
    if (e.key === 'Escape') { search.value = ''; found.hidden = true; }
  });
  found.addEventListener('keydown', function (e) {
    var all = Array.prototype.slice.call(found.querySelectorAll('button')), i = all.indexOf(document.activeElement);
    if (e.key === 'ArrowDown' && all[i + 1]) { all[i + 1].focus(); e.preventDefault(); }
    if (e.key === 'ArrowUp') { (all[i - 1] || search).focus(); e.preventDefault(); }
    if (e.key === 'Escape') { found.hidden = true; search.focus(); }
  });
  return index.length ? [search, found, told] : [];
}
