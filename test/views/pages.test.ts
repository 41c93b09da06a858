// The HTML of the pages: typed text stays text, nothing is inline, each control has its label and autocomplete.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { digest } from '../../src/domain/secret.ts'
import { FEATURES } from '../../src/features/all.ts'
import { createAssets } from '../../src/views/assets.ts'
import { catalogues } from '../support/texts.ts'
import { samples, samplesInEveryLanguage } from './samples.ts'

const { paths: assetPaths, files: assets } = createAssets()

interface Tag {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
}

const pages = samples()
const everyPage = samplesInEveryLanguage()
const HOSTILE = `"'><script>alert(1)</script><img src=x onerror='alert(2)'>&lt;\``

test('a name full of markup changes no element and no attribute of any page', () => {
  const shape = (html: string) => tags(html).map(({ name, attributes }) => [name, ...attributes.keys()].join(' '))
  const harmless = samples('Anna')
  for (const [index, { name, html }] of samples(HOSTILE).entries()) {
    expect(shape(html), name).toEqual(shape(harmless[index]!.html))
    expect(html, name).not.toMatch(/<script>|<img/)
  }
})

test('nothing is inline: no style, but for the one that its page allows by its hash, no script or handler', () => {
  for (const { name, html, policy = '' } of pages) {
    for (const tag of tags(html)) {
      if (tag.name === 'style') expect(policy, name).toContain(`'sha256-${hashOf(html)}'`)
      if (tag.name === 'script') expect(tag.attributes.get('src'), name).toBe(assetPaths.script)
      for (const attribute of tag.attributes.keys()) expect(attribute, name).not.toMatch(/^(on.*|style)$/)
    }
  }
})

/** Of the one inline style of a page. */
function hashOf(html: string): string {
  return createHash('sha256')
    .update(/<style>([^<]*)<\/style>/.exec(html)?.[1] ?? '')
    .digest('base64')
}

test('no page has a hole: no missing value, no brace that nobody filled', () => {
  for (const { name, html } of everyPage) expect(html, name).not.toMatch(/undefined|NaN|\[object|Invalid Date|\{\w+\}/)
})

test('every page has a language, a title, one heading, and no id twice', () => {
  for (const { name, html, locale } of everyPage) {
    const all = tags(html)
    const ids = all.flatMap(({ attributes }) => attributes.get('id') ?? [])
    expect(all.find((tag) => tag.name === 'html')?.attributes.get('lang'), name).toBe(locale)
    expect(html, name).toMatch(/<title>[^<]+ · Guildhall<\/title>/)
    expect(all.filter((tag) => tag.name === 'h1').length, name).toBe(1)
    expect(new Set(ids).size, name).toBe(ids.length)
  }
})

test('every page but the same-site reload offers the other languages, in their own words, and comes back to itself', () => {
  for (const { name, html, locale } of everyPage.filter((page) => !page.name.startsWith('same-site-reload'))) {
    const form = /<form class="language" method="post" action="\/language"[\s\S]*?<\/form>/.exec(html)?.[0] ?? ''
    expect(
      tags(form)
        .find(({ attributes }) => attributes.get('name') === 'returnTo')
        ?.attributes.get('value'),
      name,
    ).toBe('/here?of=all')
    const offered = tags(form).filter((tag) => tag.name === 'button')
    expect(
      offered.map(({ attributes }) => [attributes.get('value'), attributes.get('lang')]),
      name,
    ).toEqual([locale === 'en' ? ['zh-TW', 'zh-TW'] : ['en', 'en']])
    const offeredText = form.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    expect(offeredText, name).toContain(locale === 'en' ? '<span>繁體中文</span>' : '<span>English</span>')
  }
})

test('every control has a label, and every description and link finds its target', () => {
  for (const { name, html } of pages) {
    const all = tags(html)
    const ids = new Set(all.map(({ attributes }) => attributes.get('id')))
    for (const { attributes } of visibleInputs(html)) {
      const wrapped = attributes.get('type') === 'checkbox'
      expect(wrapped || html.includes(`<label for="${attributes.get('id')}"`), name).toBe(true)
    }
    for (const { attributes } of all) {
      const named = [attributes.get('aria-describedby'), attributes.get('aria-labelledby'), attributes.get('for')]
      for (const id of named.flatMap((value) => value?.split(' ') ?? [])) expect(ids, name).toContain(id)
      const href = attributes.get('href')
      if (href?.startsWith('#')) expect(ids, name).toContain(href.slice(1))
    }
  }
})

test('password managers find what they look for', () => {
  const attributesOf = (page: string, field: string) =>
    tags(pages.find(({ name }) => name === page)!.html).find(({ attributes }) => attributes.get('name') === field)?.attributes
  expect(attributesOf('login', 'username')?.get('autocomplete')).toBe('username')
  expect(attributesOf('login', 'username')?.get('autocapitalize')).toBe('none')
  expect(attributesOf('login', 'password')?.get('autocomplete')).toBe('current-password')
  expect(attributesOf('register', 'username')?.get('autocomplete')).toBe('username')
  expect(attributesOf('register', 'password')?.get('autocomplete')).toBe('new-password')
  expect(attributesOf('reauthenticate', 'password')?.get('autocomplete')).toBe('current-password')
  expect(attributesOf('reauthenticate', 'username')?.get('autocomplete')).toBe('username')
  expect(attributesOf('reauthenticate', 'username')?.get('value')).toBe('anna')
  expect(attributesOf('password', 'username')?.get('value')).toBe('anna')
  expect(attributesOf('password', 'username')?.get('autocomplete')).toBe('username')
  expect(attributesOf('password', 'currentPassword')?.get('autocomplete')).toBe('current-password')
  expect(attributesOf('password', 'newPassword')?.get('autocomplete')).toBe('new-password')
  for (const { name, html } of pages) {
    for (const { attributes } of visibleInputs(html)) {
      // A browser would cut a pasted text without a word.
      expect(attributes.has('maxlength'), name).toBe(false)
      if (attributes.get('name') === 'password') expect(attributes.get('type'), name).toBe('password')
    }
  }
})

test('a form that comes back keeps what was typed, but never a password', () => {
  const { html } = pages.find(({ name }) => name === 'register-errors')!
  expect(html).toContain('value="Anna Lindqvist"')
  expect(html).toContain('role="alert"')
  expect(html).toMatch(/<title>Error: /)
  for (const page of pages) expect(page.html).not.toContain('never shown')
})

test('every path of ours is below the option', () => {
  for (const { name, html } of samples(undefined, { path: '/members' })) {
    for (const { attributes } of tags(html)) {
      const address = attributes.get('href') ?? attributes.get('action') ?? attributes.get('src')
      if (address === undefined || address === '' || address.startsWith('#') || address.startsWith('/diary')) continue
      expect(address, name).toMatch(/^(\/members\/|\/$)/)
    }
  }
})

test('an asset has its digest in its name', () => {
  expect(assetPaths.style).toMatch(/^\/assets\/style\.[\w-]{12}\.css$/)
  expect(assetPaths.script).toMatch(/^\/assets\/client\.[\w-]{12}\.js$/)
  for (const [path, { body }] of assets) expect(path).toContain(digest(body).slice(0, 12))
})

describe('templates', () => {
  const en = catalogues.en
  const pathNames = FEATURES.flatMap(({ name, paths }) => Object.keys(paths).map((path) => `${name}.${path}`))
  const folder = fileURLToPath(new URL('../../src/', import.meta.url))
  const templates = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.eta'))
    .map((file) => ({ file, text: readFileSync(`${folder}${file}`, 'utf8') }))

  test('say nothing that is not in the catalogue', () => {
    for (const { file, text } of templates) {
      const markup = text.replace(/<%[\s\S]*?%>|<style>[\s\S]*?<\/style>/g, '')
      const spoken = /\s(?:aria-label|alt|title|placeholder|label|content|data-[\w-]+)="([^"]*)"/g
      const allowed = ['width=device-width, initial-scale=1', 'light dark', '0']
      for (const [, value = ''] of markup.matchAll(spoken)) if (!allowed.includes(value)) expect(value, file).toBe('')
      const words = markup.replace(/<[^>]*>/g, '').match(/\p{L}+/gu)
      expect(words, file).toBeNull()
    }
  })

  test('name only texts that exist, and print nothing raw but a body or a part', () => {
    for (const { file, text } of templates) {
      const code = [...text.matchAll(/<%([\s\S]*?)%>/g)]
        .map(([, inside = '']) => inside.replace(/\/\*[\s\S]*?\*\//g, ''))
        .join('\n')
      for (const [, literal = ''] of code.matchAll(/'([^']*)'/g)) expect(literal, file).toMatch(/^[\w./-]*$|^ $/)
      for (const [, name = ''] of code.matchAll(/\burl\('([^']*)'/g)) expect(pathNames, file).toContain(name)
      for (const [, key = ''] of code.matchAll(/\bt\('([^']*)'/g)) expect(Object.keys(en), file).toContain(key)
      for (const [, key = ''] of code.matchAll(/\bt\.count\('([^']*)'/g)) expect(Object.keys(en), file).toContain(`${key}.other`)
      for (const [, raw = ''] of text.matchAll(/<%~([\s\S]*?)%>/g))
        expect(raw.trim(), file).toMatch(/^(it\.body$|part$|htmlName$|include\('\/views\/parts\/)/)
    }
  })
})

function tags(html: string): Tag[] {
  return [...html.matchAll(/<([a-z][a-z0-9]*)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*\/?>/gi)].map(([, name = '', attributes = '']) => ({
    name,
    attributes: new Map([...attributes.matchAll(/([\w:-]+)(?:="([^"]*)")?/g)].map(([, key = '', value = '']) => [key, value])),
  }))
}

function visibleInputs(html: string): Tag[] {
  return tags(html).filter(
    ({ name, attributes }) => name === 'input' && attributes.get('type') !== 'hidden' && !attributes.has('hidden'),
  )
}
