// Enhancements for browsers with scripts. Every page works without this file.

focusSummary()
for (const control of document.querySelectorAll('.control[data-show]')) addShowButton(control)
document.addEventListener('submit', guardAgainstDoubleSubmit)

/** A screen reader reads the focused summary of errors first. */
function focusSummary() {
  document.getElementById('summary')?.focus()
}

function addShowButton(control) {
  const input = control.querySelector('input')
  const labels = control.dataset
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'show'
  button.setAttribute('aria-controls', input.id)
  control.append(button)
  setVisible(false)
  button.addEventListener('click', () => setVisible(input.type === 'password'))
  // Browsers remember the values of text fields that were submitted, but not those of password fields.
  input.form?.addEventListener('submit', () => setVisible(false))

  function setVisible(visible) {
    input.type = visible ? 'text' : 'password'
    button.textContent = visible ? labels.hide : labels.show
    button.setAttribute('aria-label', visible ? labels.hideLabel : labels.showLabel)
  }
}

/** Ignores a second submit for 5 seconds. The button is not disabled, as its value would then not be sent. */
function guardAgainstDoubleSubmit(event) {
  const form = event.target
  if (form.dataset.sent) return event.preventDefault()
  form.dataset.sent = 'yes'
  const reset = () => delete form.dataset.sent
  setTimeout(reset, 5000)
  addEventListener('pageshow', reset, { once: true })
}
