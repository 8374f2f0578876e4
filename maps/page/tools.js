/* Tools of a page: measuring, an address that opens the same view again, paper. */
function distanceWords(t, m) { return m < 1000 ? fill(t.scale_m, { value: Math.round(m) }) : fill(t.scale_km, { value: (m / 1000).toFixed(2) }); }
function makeMeasure(app) {
  var t = app.t, map = app.map, points = [], drawn = L.layerGroup();
  var button = el('button', { type: 'button', id: 'measure', 'aria-pressed': 'false', text: t.measure });
  var told = el('div', { id: 'measured', 'class': 'measured', role: 'status' });
  told.hidden = true;
  var cross = el('div', { 'class': 'cross-hair', 'aria-hidden': 'true' });
  function draw() {
    drawn.clearLayers();
    L.polyline(points, { color: '#ffffff', weight: 7, interactive: false, pane: 'marked' }).addTo(drawn);
    L.polyline(points, { color: '#222222', weight: 3, dashArray: '7 4', interactive: false, pane: 'marked' }).addTo(drawn);
    points.forEach(function (p) { L.circleMarker(p, { radius: 4, color: '#222', weight: 2, fillColor: '#fff', fillOpacity: 1, interactive: false, pane: 'marked' }).addTo(drawn); });
    var sum = 0;
    for (var i = 1; i < points.length; i++) sum += map.distance(points[i - 1], points[i]);
    told.textContent = points.length < 2 ? t.measure_hint : fill(t.measured, { value: distanceWords(t, sum) });
    app.measuredM = sum;
  }
  /* the second click of a double click is no point of its own */
  function add(at) { if (!points.length || !points[points.length - 1].equals(at)) points.push(at); draw(); }
  function set(on) {
    points = [];
    app.measuring = on ? add : null;
    button.setAttribute('aria-pressed', String(on));
    told.hidden = !on;
    map.doubleClickZoom[on ? 'disable' : 'enable']();
    map.getContainer().classList.toggle('measures', on);
    if (on) { map.closePopup(); drawn.addTo(map); map.getContainer().appendChild(cross); draw(); map.getContainer().focus({ preventScroll: true }); }
    else { map.removeLayer(drawn); if (cross.parentNode) cross.parentNode.removeChild(cross); }
  }
  button.addEventListener('click', function () { set(!app.measuring); });
  map.getContainer().addEventListener('keydown', function (e) {
    if (!app.measuring || e.target !== map.getContainer()) return;
    if (e.key === 'Enter') { add(map.getCenter()); e.preventDefault(); }
    if (e.key === 'Backspace') { points.pop(); draw(); e.preventDefault(); }
  });
  document.addEventListener('keydown', function (e) { if (e.key === 'Escape' && app.measuring) { set(false); button.focus(); } });
  return [button, told];
}

/* The view as the end of the address: #map=15.20/60.17160/24.94430&layers=demand,grids&view=plan&hour=13 */
function viewText(app) {
  var c = app.map.getCenter(), on = app.data.layers.filter(function (l) { return app.isOn(l.id); }).map(function (l) { return l.id; });
  return '#map=' + app.map.getZoom().toFixed(2) + '/' + c.lat.toFixed(5) + '/' + c.lng.toFixed(5) +
    '&layers=' + on.join(',') + (app.data.modes ? '&view=' + app.mode : '') + (app.hour >= 0 ? '&hour=' + app.hour : '') +
    (app.at !== undefined ? '&swipe=' + Math.round(100 * app.at) : '');
}
/* Reads such an ending; what is no number, no known layer or off the earth is left out, as hand-typed links break. */
function viewFrom(app, hash) {
  var seen = {}, out = {}, text = hash.replace(/^#/, '');
  try { text = decodeURIComponent(text); } catch (e) { return out; }
  text.split('&').forEach(function (part) { var at = part.indexOf('='); if (at > 0) seen[part.slice(0, at)] = part.slice(at + 1); });
  var n = (seen.map || '').split('/').map(function (x) { return /^-?\d+(\.\d+)?$/.test(x) ? +x : NaN; });
  if (n.length === 3 && n.every(isFinite) && Math.abs(n[1]) <= 85 && Math.abs(n[2]) <= 180)
    out.map = [Math.max(app.map.getMinZoom(), Math.min(app.map.getMaxZoom(), n[0])), n[1], n[2]];
  if (seen.layers !== undefined) {
    var known = seen.layers.split(',').filter(function (id) { return Object.prototype.hasOwnProperty.call(app.layers, id); });
    if (known.length || seen.layers === '') out.layers = known;
  }
  if (app.data.modes && app.data.modes.indexOf(seen.view) >= 0) out.view = seen.view;
  if (app.data.hourly && /^\d{1,2}$/.test(seen.hour || '') && +seen.hour < 24) out.hour = +seen.hour;
  if (/^\d{1,3}$/.test(seen.swipe || '') && +seen.swipe <= 100) out.swipe = +seen.swipe / 100;
  return out;
}
function makeLink(app) {
  var timer = null, mine = '';
  function write() {
    timer = null;
    mine = viewText(app);
    /* in a notebook or a sandboxed frame the address cannot be changed; the map works on */
    try { if (location.hash !== mine) history.replaceState(null, '', mine); } catch (e) { return; }
  }
  function apply(found) {
    if (found.layers) app.data.layers.forEach(function (l) { app.toggle(l.id, found.layers.indexOf(l.id) >= 0); });
    if (found.view) app.setMode(found.view);
    if (found.hour !== undefined && app.setHour) app.setHour(found.hour + 1);
    if (found.swipe !== undefined && app.swipeTo) app.swipeTo(found.swipe);
    if (found.map) app.map.setView([found.map[1], found.map[2]], found.map[0], { animate: false });
  }
  app.moved = function () { if (timer === null) timer = setTimeout(write, 150); };
  app.map.on('moveend', app.moved);
  window.addEventListener('hashchange', function () { if (location.hash !== mine) apply(viewFrom(app, location.hash)); });
  return function () { apply(viewFrom(app, location.hash)); };
}

/* Paper: the page takes its shape before it is printed, and everything is drawn by the time this returns. */
var PAPERS = { a4: 'A4 landscape', a3: 'A3 landscape' };
function makePaper(app, show) {
  var t = app.t, map = app.map, seen = null, rule = el('style', { id: 'paper-size' });
  document.head.appendChild(rule);
  var size = el('select', { id: 'paper', 'aria-label': t.paper }, Object.keys(PAPERS).map(function (p) { return el('option', { value: p, text: p.toUpperCase() }); }));
  var date = el('p', { id: 'printed', 'class': 'printed' });
  function sized() {
    rule.textContent = '@page { size: ' + PAPERS[size.value] + '; margin: 10mm; }';
    document.body.classList.toggle('a3', size.value === 'a3');
  }
  size.addEventListener('change', sized);
  sized();
  function paper(on) {
    if (on === document.body.classList.contains('printing')) return;
    var b = app.data.view, whole = L.latLngBounds([[b[1], b[0]], [b[3], b[2]]]);
    if (on) seen = { bounds: map.getBounds(), centre: map.getCenter(), zoom: map.getZoom() };
    document.body.classList.toggle('printing', on);
    date.textContent = fill(t.printed, { date: new Date().toLocaleDateString(app.data.lang === 'zh' ? 'zh-CN' : 'en-GB', { year: 'numeric', month: 'long', day: 'numeric' }) });
    map.stop();
    map.invalidateSize({ animate: false, pan: false });
    if (!on) map.setView(seen.centre, seen.zoom, { animate: false });
    else if (seen.bounds.contains(whole.pad(-0.1))) show(b, true);
    else { var c = seen.centre; map.fitBounds(L.latLngBounds([c, c]).extend(seen.bounds.pad(-0.1)), { animate: false, padding: [0, 0] }); }
    fitList(on);
    app.repaint();
    if (app.swipeTo) app.swipeTo(app.at);
    flatten(app, on);
  }
  /* No half station at the foot of the page: what has no room is left out, and told. */
  function fitList(on) {
    var list = document.querySelector('.stations ol');
    if (!list) return;
    var told = list.querySelector('.more'), items = Array.prototype.slice.call(list.querySelectorAll('li:not(.more)'));
    if (told) told.remove();
    items.forEach(function (item) { item.classList.remove('unprinted'); });
    if (!on) return;
    var foot = document.querySelector('.panel').getBoundingClientRect().bottom, left = 0;
    function over() { return list.lastElementChild && list.getBoundingClientRect().bottom > foot; }
    while (over() && left < items.length) {
      if (!left) list.appendChild(el('li', { 'class': 'more none' }));
      items[items.length - 1 - left].classList.add('unprinted');
      left += 1;
      list.querySelector('.more').textContent = fill(t.list_unprinted, { n: left });
    }
  }
  window.addEventListener('beforeprint', function () { paper(true); });
  window.addEventListener('afterprint', function () { paper(false); });
  window.matchMedia('print').addEventListener('change', function (e) { paper(e.matches); });
  return { size: size, date: date, button: el('button', { type: 'button', id: 'print', text: t.print, onclick: function () { window.print(); } }) };
}

/* On paper all painted layers are one picture: browsers write several canvases on top of each other into a PDF with masks
   that readers of PDF fail on, so that streets and cells are lost. */
function flatten(app, on) {
  var map = app.map, pane = map.getPane('flat') || map.createPane('flat');
  pane.style.zIndex = 390;
  pane.replaceChildren();
  if (!on) return;
  var layers = [], z = function (one) { return +one.getPane().style.zIndex; };
  map.eachLayer(function (one) { if (one instanceof Painted) layers.push(one); });
  layers.sort(function (a, b) { return z(a) - z(b); });
  if (!layers.length) return;
  var first = layers[0]._container, flat = L.DomUtil.create('canvas', 'flat', pane), pen = flat.getContext('2d');
  flat.width = first.width; flat.height = first.height;
  flat.style.width = first.style.width; flat.style.height = first.style.height;
  var at = L.DomUtil.getPosition(first), ratio = first.width / parseFloat(first.style.width);
  L.DomUtil.setPosition(flat, at);
  var cut = (map.containerPointToLayerPoint([0, 0]).x + (app.at || 0) * map.getSize().x - at.x) * ratio;
  layers.forEach(function (one) {
    var side = app.sided.filter(function (s) { return map.getPane(s[0]) === one.getPane(); })[0];
    pen.save();
    if (side) { pen.beginPath(); pen.rect(side[1] === 'left' ? 0 : cut, 0, side[1] === 'left' ? cut : flat.width, flat.height); pen.clip(); }
    pen.globalAlpha = one.options.opacity;
    pen.drawImage(one._container, 0, 0);
    pen.restore();
  });
}

/* Two plans on one map: what is left of the line is of one, what is right of it of the other. */
function makeSwipe(app) {
  var map = app.map, names = app.data.swipe;
  if (!names) return null;
  var line = el('div', { 'class': 'divider', 'aria-hidden': 'true' });
  var slider = el('input', { type: 'range', id: 'swipe', min: 0, max: 100, step: 1, value: 50, 'aria-label': names.label });
  var tags = ['left', 'right'].map(function (side) { return el('div', { 'class': 'side-name ' + side, text: names[side] }); });
  ['left', 'right'].forEach(function (side, k) { map.createPane('marks-' + side).style.zIndex = 600 + k; });
  [line, tags[0], tags[1]].forEach(function (node) { map.getContainer().appendChild(node); });
  function cut() {
    var size = map.getSize(), x = size.x * app.at, nw = map.containerPointToLayerPoint([0, 0]), se = map.containerPointToLayerPoint(size);
    line.style.left = x + 'px';
    tags[0].style.right = (size.x - x + 6) + 'px'; tags[1].style.left = (x + 6) + 'px';
    var clips = {
      left: 'rect(' + [nw.y, nw.x + x, se.y, nw.x].join('px,') + 'px)',
      right: 'rect(' + [nw.y, se.x, se.y, nw.x + x].join('px,') + 'px)'
    };
    app.sided.forEach(function (s) { map.getPane(s[0]).style.clip = clips[s[1]]; });
    ['left', 'right'].forEach(function (side) { map.getPane('marks-' + side).style.clip = clips[side]; });
  }
  app.swipeTo = function (at) { app.at = at; slider.value = Math.round(100 * at); cut(); if (app.moved) app.moved(); };
  slider.addEventListener('input', function () { app.swipeTo(slider.value / 100); });
  map.on('move resize zoomend', cut);
  app.at = 0.5;
  return el('div', { 'class': 'swipe' }, [el('label', { 'for': 'swipe', text: names.label }), slider]);
}
