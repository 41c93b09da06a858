// examples/json-client: a page and a script on the JSON API, with fetch and in a real browser.
import { expect, test } from 'vitest'
import { describeInChromium } from '../support/in-chromium.ts'
import { GOOD_PASSWORD, Visitor } from '../support/visitor.ts'
import { runExample } from './example.ts'

test('the page comes with a policy that allows its files and nothing inline, and the API does what the script asks', async () => {
  const { base } = await runExample('json-client')
  const visitor = new Visitor(base)
  const page = await visitor.get('/')
  expect(page.headers.get('content-security-policy')).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'",
  )
  expect(page.text).not.toMatch(/<script(?! type="module" src=)|<style| on\w+=/)
  expect((await visitor.get('/client.js')).headers.get('content-type')).toContain('text/javascript')
  const headers = { origin: base, 'sec-fetch-site': 'same-origin' }
  expect((await visitor.api('/register', { username: 'anna', password: GOOD_PASSWORD }, { headers })).status).toBe(201)
  expect((await visitor.api('/profile', { displayName: 'Anna A.' }, { headers })).json()).toMatchObject({
    user: { displayName: 'Anna A.' },
  })
  expect((await visitor.api('/logout', {}, { headers })).status).toBe(204)
  expect((await visitor.api('/profile')).json()).toMatchObject({ code: 'login_required' })
})

describeInChromium((browser) => {
  test('a person registers, changes the display name, logs out and in, and reads what was wrong', async () => {
    const { base } = await runExample('json-client')
    const context = await browser().newContext()
    const page = await context.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => message.text().includes('Content Security Policy') && problems.push(message.text()))
    const problem = page.getByRole('alert')
    await page.goto(base)

    await page.getByLabel('Username').fill('anna')
    await page.getByLabel('Password').fill('short')
    await page.getByRole('button', { name: 'Create an account' }).click()
    await expect.poll(() => problem.textContent()).toMatch(/password: .*8/)
    expect(await problem.getAttribute('data-code')).toBe('invalid_input')

    await page.getByLabel('Password').fill(GOOD_PASSWORD)
    await page.getByRole('button', { name: 'Create an account' }).click()
    await page.getByText('Logged in as anna').waitFor()
    expect(await problem.isVisible()).toBe(false)
    await page.getByLabel('Display name').fill('Anna <b>A.</b>')
    await page.getByRole('button', { name: 'Save' }).click()
    await expect.poll(async () => (await context.request.get(`${base}/api/profile`)).text()).toContain('Anna <b>A.</b>')
    await page.reload()
    await expect.poll(() => page.getByLabel('Display name').inputValue()).toBe('Anna <b>A.</b>')

    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByLabel('Username').fill('anna')
    await page.getByLabel('Password').fill('not my password')
    await page.getByRole('button', { name: 'Log in' }).click()
    await expect.poll(() => problem.getAttribute('data-code')).toBe('invalid_credentials')
    await page.getByLabel('Password').fill(GOOD_PASSWORD)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Logged in as anna').waitFor()
    expect(problems).toEqual([])
    await context.close()
  })
})
