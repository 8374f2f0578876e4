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
/* What was refused is read out and seen first. */
document.addEventListener('DOMContentLoaded', function () {
  var error = document.getElementById('error');
  if (error) error.focus();
  [].forEach.call(document.querySelectorAll('input[data-shows]'), function (box) {
    var shown = document.getElementById(box.getAttribute('data-shows'));
    box.addEventListener('change', function () { shown.textContent = box.files ? box.files.length : box.value; });
  });
});
