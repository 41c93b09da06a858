// A page of webmail on another site, gone after the test.
import { onTestFinished } from 'vitest'
import type { Site } from '../support/site.ts'
import { openThirdPartySite } from './environment.ts'

/** With a link for each mail, named by who gets it. */
export async function openWebmail(site: Pick<Site, 'base'>, links: Readonly<Record<string, string>>): Promise<string> {
  const list = Object.entries(links).map(([name, link]) => `<p><a href="${site.base}${link}">${name}</a>`)
  const { base, close } = await openThirdPartySite({ '/': list.join('') })
  onTestFinished(close)
  return base
}
