/* Small maps of served pages. Each element with the class "map" says in data-map what is on it:
   { marks: [{at: [lon, lat], kind, text, href}], lines: [[[lon, lat], ...]], pick: name of a pair of fields }.
   The ground comes from data-base, drawn out of the city's own streets. Nothing else is fetched. */
var COLOURS = { here: '#0072B2', task: '#b34700', station: '#007A5A', report: '#8a3b7a', rider: '#333333', alert: '#b00020', soon0: '#1b7837', soon1: '#7fbf7b', soon2: '#af8dc3', soon3: '#762a83' };
var SIZES = { soon0: 4, soon1: 4, soon2: 4, soon3: 4, here: 9, task: 9, station: 8, report: 8, rider: 5, alert: 10 };

function drawMarks(group, marks) {
  group.clearLayers();
  marks.forEach(function (m) {
    var dot = L.circleMarker([m.at[1], m.at[0]], {
      radius: SIZES[m.kind] || 8, color: '#ffffff', weight: m.kind.slice(0, 4) === 'soon' ? 0 : 2, fillColor: COLOURS[m.kind] || '#333333', fillOpacity: 1
    }).addTo(group);
    if (m.text) dot.bindTooltip(el('span', { text: m.text }));
    if (m.href) dot.on('click', function () { window.location.href = m.href; });
  });
}

/* Where the reader has tapped, or what they have written into the fields. */
function picker(map, group, box, name) {
  var form = box.closest('form');
  var lon = form.elements[name + '_lon'], lat = form.elements[name + '_lat'];
  var told = form.querySelector('[data-told="' + name + '"]');
  function put(at, silent) {
    drawMarks(group, [{ at: at, kind: 'here' }]);
    lon.value = at[0].toFixed(6); lat.value = at[1].toFixed(6);
    if (told && !silent) told.textContent = told.getAttribute('data-done');
  }
  function read() {
    var x = parseFloat(lon.value), y = parseFloat(lat.value);
    if (Math.abs(x) <= 180 && Math.abs(y) <= 90) { put([x, y], true); map.panTo([y, x]); }
  }
  map.on('click', function (e) { put([e.latlng.lng, e.latlng.lat]); });
  lon.addEventListener('change', read); lat.addEventListener('change', read);
  var middle = form.querySelector('[data-middle="' + name + '"]');
  if (middle) middle.addEventListener('click', function () { var c = map.getCenter(); put([c.lng, c.lat]); });
  var mine = form.querySelector('[data-mine="' + name + '"]');
  if (mine && navigator.geolocation) {
    mine.hidden = false;
    mine.addEventListener('click', function () {
      navigator.geolocation.getCurrentPosition(function (found) {
        put([found.coords.longitude, found.coords.latitude]);
        map.setView([found.coords.latitude, found.coords.longitude], 17);
      }, function () { if (told) told.textContent = told.getAttribute('data-failed'); }, { timeout: 15000 });
    });
  }
  read();
}

function smallMap(box, base) {
  var asked = JSON.parse(box.getAttribute('data-map'));
  var map = L.map(box, { zoomControl: false, zoomSnap: 0.1, zoomDelta: 1, minZoom: 9, maxZoom: 19, fadeAnimation: false, zoomAnimation: false, preferCanvas: (asked.marks || []).length > 300 });
  L.control.zoom({ zoomInTitle: box.getAttribute('data-in'), zoomOutTitle: box.getAttribute('data-out') }).addTo(map);
  map.attributionControl.setPrefix('');
  function pane(name, z, through) {
    var p = map.getPane(name) || map.createPane(name);
    p.style.zIndex = z;
    if (through) p.style.pointerEvents = 'none';
    return name;
  }
  var attribution = el('span', { text: base.attribution });
  drawBase(map, Object.assign({}, base, { attribution: attribution.innerHTML }), pane);
  var seen = [];
  (asked.lines || []).forEach(function (line) {
    var points = line.map(function (p) { return [p[1], p[0]]; });
    L.polyline(points, { color: '#ffffff', weight: 9, interactive: false }).addTo(map);
    L.polyline(points, { color: '#0072B2', weight: 5, interactive: false }).addTo(map);
    seen = seen.concat(points);
  });
  var group = L.layerGroup().addTo(map);
  drawMarks(group, asked.marks || []);
  (asked.marks || []).forEach(function (m) { seen.push([m.at[1], m.at[0]]); });
  if (asked.box) seen = asked.box.map(function (p) { return [p[1], p[0]]; });
  var whole = [[base.bounds[1], base.bounds[0]], [base.bounds[3], base.bounds[2]]];
  map.fitBounds(seen.length ? L.latLngBounds(seen).pad(0.1) : whole, { maxZoom: 17, animate: false });
  if (asked.pick) picker(map, L.layerGroup().addTo(map), box, asked.pick);
  box.yiluMarks = function (marks) { drawMarks(group, marks); };
  box.setAttribute('data-ready', 'yes');
}

function smallMaps() {
  var boxes = [].slice.call(document.querySelectorAll('.map[data-map]:not([data-ready])'));
  if (!boxes.length) return;
  boxes.forEach(function (box) { box.setAttribute('data-ready', 'soon'); });
  fetch(boxes[0].getAttribute('data-base'), { credentials: 'omit' }).then(function (answer) { return answer.json(); }).then(function (base) {
    boxes.forEach(function (box) { smallMap(box, base); });
  }).catch(function () {
    boxes.forEach(function (box) { box.textContent = box.getAttribute('data-failed'); });
  });
}
document.addEventListener('DOMContentLoaded', smallMaps);

/* What a page fetches anew (htmx) may bring other marks for a map that stays: <template data-marks="id of the map">. */
document.addEventListener('htmx:afterSwap', function () {
  [].forEach.call(document.querySelectorAll('[data-marks]'), function (given) {
    var box = document.getElementById(given.getAttribute('data-marks'));
    if (box && box.yiluMarks) box.yiluMarks(JSON.parse(given.getAttribute('data-is')));
  });
});
