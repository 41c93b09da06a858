// The pages as a screen reader gets them: Chromium's accessibility tree of each.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { describeInChromium } from '../support/in-chromium.ts'
import { openSite } from './browser.ts'
import { samplesInEveryLanguage } from './samples.ts'

interface AccessibleNode {
  readonly role: string
  readonly name: string
  readonly description: string
  /** For headings. */
  readonly level: number | undefined
  readonly isFocused: boolean
  /** From the page inwards: `main`, `region Recent activity`. */
  readonly within: readonly string[]
}

const CONTROLS = ['button', 'link', 'textbox', 'checkbox']
const pages = samplesInEveryLanguage()

async function accessibleNodesOf(page: Page): Promise<AccessibleNode[]> {
  const cdp = await page.context().newCDPSession(page)
  const { nodes } = await cdp.send('Accessibility.getFullAXTree')
  await cdp.detach()
  const byId = new Map(nodes.map((node) => [node.nodeId, node]))
  const collect = (id: string, within: readonly string[]): AccessibleNode[] => {
    const node = byId.get(id)
    if (!node) return []
    const role = String(node.role?.value ?? '')
    const name = String(node.name?.value ?? '')
    const property = (of: string) => node.properties?.find((one) => one.name === of)?.value.value
    const described: AccessibleNode = {
      role,
      name,
      description: String(node.description?.value ?? ''),
      level: role === 'heading' ? Number(property('level')) : undefined,
      isFocused: property('focused') === true,
      within,
    }
    const inside = node.ignored ? within : [...within, `${role} ${name}`.trim()]
    return [...(node.ignored ? [] : [described]), ...(node.childIds ?? []).flatMap((child) => collect(child, inside))]
  }
  return collect(nodes[0]?.nodeId ?? '', [])
}

describeInChromium((browser) => {
  const checkEach = async (only: RegExp, check: (nodes: readonly AccessibleNode[], page: string) => void) => {
    const site = await openSite(browser(), pages)
    for (const { name } of pages.filter((page) => only.test(page.name)))
      check(await accessibleNodesOf(await site.open(name)), name)
    await site.close()
  }

  test('a screen reader gets the place of everything, and the purpose of every control', { timeout: 60_000 }, async () => {
    await checkEach(/./, (nodes, page) => {
      const all = (role: string) => nodes.filter((one) => one.role === role)
      const isReload = page.startsWith('same-site-reload')
      expect(all('RootWebArea')[0]?.name, page).toMatch(/\S · Guildhall$/)
      expect(all('main').length, page).toBe(1)
      expect(all('banner').length, page).toBe(isReload ? 0 : 1)
      expect(
        all('navigation').map(({ name }) => name !== ''),
        page,
      ).toEqual(isReload ? [] : [true])
      expect(
        nodes.filter(({ role, name }) => CONTROLS.includes(role) && name === ''),
        page,
      ).toEqual([])

      const levels = all('heading').map(({ level }) => level)
      expect(levels.filter((level) => level === 1).length, page).toBe(1)
      expect(levels, page).toEqual(levels.map((_, at) => (at === 0 ? 1 : 2)))
      for (const heading of all('heading')) expect(heading.within, page).toContain('main')
      for (const { name } of all('region'))
        expect(
          all('heading').map((heading) => heading.name),
          page,
        ).toContain(name)
    })
  })

  test('no two buttons of a page sound the same, even where two devices are', { timeout: 60_000 }, async () => {
    await checkEach(/^(security|login|register|profile)/, (nodes, page) => {
      const buttons = nodes.filter(({ role, within }) => role === 'button' && within.includes('main')).map(({ name }) => name)
      expect(new Set(buttons).size, page).toBe(buttons.length)
    })
    await checkEach(/^security-en$/, (nodes) => {
      const ends = nodes.filter(({ role, name }) => role === 'button' && name.startsWith('End')).map(({ name }) => name)
      expect(ends).toEqual([
        'End the session on Safari on iPhone, active 2 hours ago',
        'End the session on Chrome on Windows, active 12 days ago',
        'End the session on Safari on iPhone, active 2 days ago',
        'End the other 3 sessions',
      ])
    })
  })

  test('the sessions and the activity are lists, with times that a program can read', async () => {
    await checkEach(/^security-en$/, (nodes) => {
      const inside = (region: string, role: string) =>
        nodes.filter((one) => one.role === role && one.within.at(-2) === `region ${region}` && one.within.at(-1) === 'list')
      expect(inside('Where you are logged in', 'listitem').length).toBe(4)
      expect(inside('Recent activity', 'listitem').length).toBe(4)
      expect(nodes.filter(({ role }) => role === 'time').length).toBe(1 + 4 * 3 - 1 + 4)
    })
    const { html } = pages.find(({ name }) => name === 'security-en')!
    for (const [, moment = ''] of html.matchAll(/<time datetime="([^"]*)"/g)) expect(new Date(moment).toISOString()).toBe(moment)
  })

  test('what was done is a status, what went wrong an alert that has the focus and leads to the field', async () => {
    await checkEach(/^(login-notice|profile|security-alone|home-closed)-(en|zh)/, (nodes, page) => {
      expect(nodes.filter(({ role }) => role === 'status').length, page).toBe(1)
      expect(nodes.filter(({ role }) => role === 'alert').length, page).toBe(0)
    })
    await checkEach(/(refused|errors)/, (nodes, page) => {
      expect(nodes.filter(({ role, isFocused }) => role === 'alert' && isFocused).length, page).toBe(1)
      expect(nodes[0]?.name, page).toMatch(/^(Error: |錯誤：)/)
    })
    await checkEach(/^register-errors-en$/, (nodes) => {
      const links = nodes.filter(({ role, within }) => role === 'link' && within.includes('alert')).map(({ name }) => name)
      expect(links).toEqual(['Username', 'Password'])
      // The error is there once, at the field, and is read with it.
      const description = (of: string) => nodes.find(({ role, name }) => role === 'textbox' && name === of)?.description
      expect(description('Username')).toContain('Some characters here are not allowed.')
      expect(description('Password')).toContain('Use at least 8 characters.')
    })
  })
})
