/* Small helps for forms; every page works without them. */
'use strict';
/* A form is sent once, however often its button is pressed. */
document.addEventListener('submit', function (event) {
  var form = event.target;
  if (event.defaultPrevented) return;
  if (form.hasAttribute('data-sent')) { event.preventDefault(); return; }
  form.setAttribute('data-sent', 'yes');
  [].forEach.call(form.querySelectorAll('button[type=submit]'), function (button) { button.setAttribute('aria-disabled', 'true'); });
});
/* Who comes back to a page may send its form again. */
window.addEventListener('pageshow', function () {
  [].forEach.call(document.querySelectorAll('form[data-sent]'), function (form) {
    form.removeAttribute('data-sent');
    [].forEach.call(form.querySelectorAll('[aria-disabled]'), function (button) { button.removeAttribute('aria-disabled'); });
  });
});
/* What was refused is read out and seen first; on a phone the menu stands where the reader is. */
document.addEventListener('DOMContentLoaded', function () {
  var here = document.querySelector('.menu [aria-current]');
  if (here) here.scrollIntoView({ block: 'nearest', inline: 'center' });
  var error = document.getElementById('error');
  if (error) error.focus();
  [].forEach.call(document.querySelectorAll('input[data-shows]'), function (box) {
    var shown = document.getElementById(box.getAttribute('data-shows'));
    box.addEventListener('change', function () { shown.textContent = box.files ? box.files.length : box.value; });
  });
});
/* Parts that follow events are fetched when there are any. Where no line is open, they are looked at every few seconds. */
(function () {
  var line = null;
  function follows() { return document.querySelector('[hx-trigger^="news"]'); }
  function look() { if (!document.hidden && follows()) document.body.dispatchEvent(new Event('news')); }
  function listen() {
    /* A browser opens six lines to one place; pages in the background leave theirs to others. */
    if (line || document.hidden || !window.EventSource || !follows()) return;
    line = new EventSource(follows().getAttribute('data-news') || '/news');
    /* What happened while the line was shut. */
    line.onopen = look;
    line.onmessage = look;
  }
  function hang_up() { if (line) line.close(); line = null; }
  document.addEventListener('DOMContentLoaded', listen);
  document.addEventListener('visibilitychange', function () { if (document.hidden) hang_up(); else { look(); listen(); } });
  window.addEventListener('pagehide', hang_up);
  window.addEventListener('pageshow', listen);
  window.setInterval(function () {
    if (line && line.readyState === 1) return;
    if (line && line.readyState === 2) hang_up();
    look();
    listen();
  }, 4000);
})();
