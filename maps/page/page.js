/* One page: draws a frozen study or match from the data block. No network. */
function start(map, data) {
  var t = data.t;
  var app = { map: map, data: data, t: t, hour: -1, mode: data.modes || data.swipe ? 'plan' : '', layers: {}, current: null, sided: [], measuring: null };
  /* no layer of tiles says how far one may zoom, and clusters need to know */
  map.options.minZoom = 4; map.options.maxZoom = 19;
  map.attributionControl.setPrefix('');
  map.getContainer().setAttribute('aria-label', t.map_label);
  map.getContainer().setAttribute('role', 'main');
  app.area = data.area ? shapes(data.area) : null;
  function pane(name, z, through) {
    var p = map.getPane(name) || map.createPane(name);
    p.style.zIndex = z;
    if (through) p.style.pointerEvents = 'none';
    return name;
  }
  pane('marked', 460, true);
  app.outline = L.layerGroup().addTo(map);
  var offline = drawBase(map, data, pane);
  var geos = {};
  app.geo = function (name) { return geos[name] || (geos[name] = shapes(data.geo[name])); };
  makeCards(app);

  /* A layer is decoded and built when it is first shown: a city opens quickly. */
  data.layers.forEach(function (layer, place) {
    app.layers[layer.id] = { spec: layer, group: L.layerGroup(), parts: null, place: place };
  });
  /* Areas lie below the streets (350), lines and signs above them, names (380) and codes (385) on top. */
  app.built = function (id) {
    var own = app.layers[id];
    if (own.parts) return own;
    own.parts = own.spec.parts.map(function (part, k) {
      var made;
      if (part.type === 'markers') { made = markers(app, part, own.spec); own.group.addLayer(made.layer); }
      else {
        made = part.type === 'coverage' ? coverage(app, part) : part.type === 'classed' ? classed(app, part) : hourly(app, part, own.spec);
        var name = pane(id + k, (made.area ? 300 : 352) + own.place, true);
        made.tiles = [new Painted(made.paint, { pane: name, opacity: part.opacity || 1 })];
        if (made.words) made.tiles.push(new Painted(made.words, { pane: pane(id + k + 'words', 385, true) }));
        made.tiles.forEach(function (one) { own.group.addLayer(one); });
        if (own.spec.side) app.sided.push([name, own.spec.side]);
      }
      made.part = part;
      return made;
    });
    return own;
  };
  app.isOn = function (id) { return map.hasLayer(app.layers[id].group); };
  app.toggle = function (id, on) {
    if (on === app.isOn(id)) return;
    if (on) {
      app.built(id).parts.forEach(function (part) { if (part.change) part.change(); });
      app.layers[id].group.addTo(map);
      if (app.swipeTo) app.swipeTo(app.at);
    } else map.removeLayer(app.layers[id].group);
    var box = document.getElementById('layer-' + id), more = document.getElementById('legend-' + id);
    if (box) box.checked = on;
    if (more) more.hidden = !on;
    if (app.moved) app.moved();
  };
  app.repaint = function () {
    map.eachLayer(function (one) { if (one instanceof Painted) one.repaint(); });
  };
  function changed() {
    data.layers.forEach(function (layer) {
      if (app.isOn(layer.id)) app.layers[layer.id].parts.forEach(function (part) {
        if (part.change) { part.change(); if (part.tiles) part.tiles[0].repaint(); }
      });
      if (layer.legendHour || layer.legends) document.getElementById('legend-' + layer.id).replaceChildren(legendOf(layer));
    });
    app.redrawCard();
    if (app.moved) app.moved();
  }

  map.on('click', function (e) {
    if (app.measuring) { app.measuring(e.latlng); return; }
    var p = map.project(e.latlng, 0), reach = 8 / Math.pow(2, map.getZoom()), right = app.at !== undefined && e.containerPoint.x > app.at * map.getSize().x;
    for (var l = data.layers.length - 1; l >= 0; l--) {
      var layer = data.layers[l];
      if (!app.isOn(layer.id) || (layer.side && (layer.side === 'right') !== right)) continue;
      for (var k = app.layers[layer.id].parts.length - 1; k >= 0; k--) {
        var part = app.layers[layer.id].parts[k];
        if (!part.hit) continue;
        var i = part.hit(p.x, p.y, reach);
        if (i >= 0) { app.openCard(e.latlng, part.item(i), null, part.ring ? part.ring(i) : null); return; }
      }
    }
  });

  /* ----- the panel ----- */
  function swatch(entry) {
    var node = el('span', { 'class': 'swatch ' + entry.shape, 'aria-hidden': 'true' }, entry.mark ? [el('b', { text: entry.mark })] : []);
    if (entry.shape === 'line' || entry.shape === 'dash' || entry.shape === 'dots') { node.style.borderTopColor = entry.color; node.style.borderTopWidth = (entry.width || 3) + 'px'; }
    else if (entry.shape === 'cross') node.style.color = entry.color;
    else { node.style.background = entry.color; node.style.color = entry.ink || '#fff'; if (entry.edge) node.style.border = '2px solid ' + entry.edge; }
    return el('li', {}, [node, el('span', { text: entry.text })]);
  }
  function legendOf(layer) {
    var entries = layer.legends ? layer.legends[app.mode] : layer.legendHour && app.hour >= 0 ? layer.legendHour : layer.legend;
    return el('ul', { 'class': 'legend' }, (layer.note ? [el('li', { 'class': entries.length > 2 ? 'note unit' : 'note', text: layer.note })] : []).concat(entries.map(swatch)));
  }
  var rows = data.layers.map(function (layer) {
    var box = el('input', { type: 'checkbox', id: 'layer-' + layer.id, onchange: function () { app.toggle(layer.id, box.checked); } });
    var more = el('div', { id: 'legend-' + layer.id, 'class': 'more' }, [legendOf(layer)]);
    more.hidden = true;
    return el('div', { 'class': 'row' }, [el('label', { 'for': 'layer-' + layer.id }, [box, el('span', { text: layer.label })]), more]);
  }).reverse();

  var body = el('div', { 'class': 'body', tabindex: '0', role: 'group', 'aria-label': t.panel });
  var swipe = makeSwipe(app);
  if (swipe) body.appendChild(swipe);
  if (data.modes) body.appendChild(modeSwitch());
  if (data.list && data.list.length) body.appendChild(stationList());
  if (data.hourly) body.appendChild(hourSlider());
  if (data.tiles) body.appendChild(baseChoice());
  rows.forEach(function (row) { body.appendChild(row); });

  /* Before and after: the same map as it is today, as it would be, and what changes. */
  function modeSwitch() {
    var said = el('p', { id: 'mode-said', 'class': 'said', 'aria-live': 'polite' });
    app.setMode = function (mode) {
      app.mode = mode;
      said.textContent = data.headline[mode];
      document.getElementById('mode-' + mode).checked = true;
      changed();
    };
    return el('fieldset', { 'class': 'modes' }, [el('legend', { text: t.mode })].concat(data.modes.map(function (mode) {
      return el('label', { 'for': 'mode-' + mode }, [
        el('input', { type: 'radio', name: 'mode', id: 'mode-' + mode, onchange: function () { app.setMode(mode); } }), el('span', { text: t['mode_' + mode] })]);
    }), [said]));
  }
  /* Where, when and why, without a click: the stations in a list, as they are numbered on the map. */
  function stationList() {
    var most = 40, entries = data.list.slice(0, most).map(function (one) {
      var layer = data.layers.filter(function (l) { return l.id === one.layer; })[0], item = null;
      layer.parts.forEach(function (part, k) { (part.items || []).forEach(function (x, i) { if (x.id === one.id && x.p) item = { layer: layer, part: k, item: x, i: i }; }); });
      var mark = badge(item.item.i).options.html;
      return el('li', {}, [el('button', { type: 'button', onclick: function () { app.go(item); } }, [
        mark, el('span', { 'class': 'words' }, [
          el('strong', { text: item.item.t }), el('span', { 'class': 'when', text: item.item.w }),
          item.item.h || item.item.o ? strip(item.item.o, item.item.h, -1, t.strip_note) : null,
          item.item.n ? el('span', { 'class': 'why', text: item.item.n }) : null])])]);
    });
    if (data.list.length > most) entries.push(el('li', { 'class': 'none', text: fill(t.list_more, { n: data.list.length - most }) }));
    return el('section', { 'class': 'stations', 'aria-label': t.list }, [el('h2', { text: t.list }), el('ol', {}, entries)]);
  }
  function hourSlider() {
    var out = el('output', { id: 'hour-text', 'for': 'hour' }), note = el('small', { id: 'hour-note', text: t.whole_day_note });
    var slider = el('input', { type: 'range', id: 'hour', min: 0, max: 24, step: 1, value: 0, 'aria-describedby': 'hour-text' });
    var timer = null, play = el('button', { type: 'button', id: 'play', text: t.play });
    app.setHour = function (value) {
      app.hour = value - 1;
      var words = hourWords(app, app.hour);
      out.textContent = words; slider.setAttribute('aria-valuetext', words); slider.value = value;
      note.hidden = app.hour >= 0;
      changed();
    };
    slider.addEventListener('input', function () { app.setHour(+slider.value); });
    play.addEventListener('click', function () {
      if (timer) { clearInterval(timer); timer = null; play.textContent = t.play; return; }
      play.textContent = t.pause;
      timer = setInterval(function () { app.setHour(+slider.value >= 24 ? 1 : +slider.value + 1); }, 900);
    });
    return el('div', { 'class': 'hours' }, [
      el('label', { 'for': 'hour' }, [el('span', { text: t.hour }), out]), el('div', { 'class': 'slide' }, [slider, play]), note]);
  }
  function baseChoice() {
    var online = null;
    function choose(on) {
      if (online) { online.forEach(function (o) { map.removeLayer(o); }); online = null; }
      if (on) { map.removeLayer(offline); online = tileLayers(data.tiles); online.forEach(function (o) { o.addTo(map); }); }
      else offline.addTo(map);
    }
    return el('fieldset', {}, [el('legend', { text: t.base })].concat([['offline', t.base_offline, false], ['online', data.tiles.label, true]].map(function (c) {
      var radio = el('input', { type: 'radio', name: 'base', id: 'base-' + c[0], onchange: function () { choose(c[2]); } });
      if (!c[2]) radio.checked = true;
      return el('label', {}, [radio, el('span', { text: c[1] })]);
    })));
  }

  var panel = el('aside', { id: 'panel', 'class': 'panel', 'aria-label': t.panel });
  var fold = el('button', { type: 'button', id: 'fold', 'aria-expanded': 'true', 'aria-controls': 'panel-body', text: t.hide_panel });
  fold.addEventListener('click', function () {
    var shut = panel.classList.toggle('folded');
    fold.textContent = shut ? t.show_panel : t.hide_panel;
    fold.setAttribute('aria-expanded', String(!shut));
  });
  body.id = 'panel-body';
  panel.appendChild(el('div', { 'class': 'head' }, [el('strong', { text: t.panel }), fold]));
  panel.appendChild(body);
  /* How much of the window the panel leaves: beside it on a desk, above it on a phone. */
  app.room = function (paper) {
    var size = map.getSize(), shut = panel.classList.contains('folded') || paper, wide = size.x > 760;
    /* never more than half of the window: what is left has to be larger than nothing, or the zoom is no number */
    return {
      paddingTopLeft: [Math.min(14, size.x / 8), Math.min(14, size.y / 8)],
      paddingBottomRight: [Math.min(shut || !wide ? 14 : 340, size.x / 2), Math.min(shut || wide ? 14 : panel.offsetHeight + 34, size.y / 2)]
    };
  };
  function show(b, paper) {
    /* in a hidden frame there is nothing to fit to yet; it is done when the frame is first seen */
    if (!map.getSize().x || !map.getSize().y) { map.once('resize', function () { show(b, paper); }); return; }
    map.fitBounds([[b[1], b[0]], [b[3], b[2]]], Object.assign(app.room(paper), { animate: false }));
  }
  app.show = show;
  var measure = makeMeasure(app), paper = makePaper(app, show), searched = makeSearch(app);
  var bar = el('header', { 'class': 'bar' }, [
    el('div', { 'class': 'titles' }, [el('h1', { text: data.title }), el('p', {}, [
      el('span', { text: data.subtitle }), data.warning ? el('em', { text: data.warning }) : null])]),
    el('div', { 'class': 'find', role: 'search' }, searched),
    el('button', { type: 'button', id: 'whole', text: t.locate_all, onclick: function () { show(data.view); } }),
    measure[0], el('span', { 'class': 'printer' }, [paper.size, paper.button])
  ]);
  document.body.insertBefore(bar, document.body.firstChild);
  document.body.appendChild(panel);
  document.body.appendChild(paper.date);
  map.getContainer().appendChild(measure[1]);
  L.DomEvent.disableClickPropagation(panel);

  L.control.zoom({ position: 'topleft', zoomInTitle: t.zoom_in, zoomOutTitle: t.zoom_out }).addTo(map);
  var scale = L.control.scale({ position: 'bottomleft', imperial: false, maxWidth: 120 });
  scale._updateMetric = function (max) {
    var m = this._getRoundNum(max);
    this._updateScale(this._mScale, m < 1000 ? fill(t.scale_m, { value: m }) : fill(t.scale_km, { value: m / 1000 }), m / max);
  };
  scale.addTo(map);
  var north = L.control({ position: 'bottomleft' });
  north.onAdd = function () { return el('div', { 'class': 'north', text: '↑ ' + t.north }); };
  north.addTo(map);

  var opened = makeLink(app);
  map.invalidateSize({ animate: false });
  show(data.view);
  if (app.setMode) app.setMode(app.mode);
  if (app.setHour) app.setHour(0);
  data.layers.forEach(function (layer) { if (layer.on) app.toggle(layer.id, true); });
  opened();
  document.documentElement.setAttribute('data-ready', 'yes');
  window.yilu = { map: map, data: data, toggle: app.toggle, shift: shift, app: app };
}
window.yiluStart = start;
