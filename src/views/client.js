// Comfort for browsers with scripts. Every page is complete without this file.

focusSummary()
for (const control of document.querySelectorAll('.control[data-show]')) addShowButton(control)
document.addEventListener('submit', guardAgainstDoubleSubmit)

/** A person who cannot see the page hears first what went wrong. */
function focusSummary() {
  document.getElementById('summary')?.focus()
}

function addShowButton(control) {
  const input = control.querySelector('input')
  const texts = control.dataset
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'show'
  button.setAttribute('aria-controls', input.id)
  control.append(button)
  say('hidden')
  button.addEventListener('click', () => say(input.type === 'password' ? 'shown' : 'hidden'))
  // A browser remembers what was sent from a text field, never what was sent from a password field.
  input.form?.addEventListener('submit', () => say('hidden'))

  function say(state) {
    const shown = state === 'shown'
    input.type = shown ? 'text' : 'password'
    button.textContent = shown ? texts.hide : texts.show
    button.setAttribute('aria-label', shown ? texts.hideLabel : texts.showLabel)
  }
}

/** The second click of a double click sends nothing. The button is not disabled, so its value travels; after 5 seconds a new try is free. */
function guardAgainstDoubleSubmit(event) {
  const form = event.target
  if (form.dataset.sent) return event.preventDefault()
  form.dataset.sent = 'yes'
  const free = () => delete form.dataset.sent
  setTimeout(free, 5000)
  addEventListener('pageshow', free, { once: true })
}
