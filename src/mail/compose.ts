// What a mail says, once as text and once as HTML, from the same blocks.
import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'
import { escapeHtml } from '../domain/escape-html.ts'
import type { MailContent } from './mail.ts'

/** Texts in the language of the recipient. Line breaks in them count as spaces: nobody's name makes a line of its own. */
export type MailBlock =
  | { readonly paragraph: string }
  /** The address stands below it, alone on its line. */
  | { readonly button: string; readonly url: string }
  /** To be typed. */
  | { readonly code: string }

export interface Composition {
  readonly subject: string
  /** For `<html lang>`. */
  readonly lang: string
  readonly heading: string
  readonly blocks: readonly MailBlock[]
  /** Why the person got this, and what to do if it was not them. */
  readonly foot: string
}

export function composeMail({ subject, lang, heading, blocks, foot }: Composition, siteName: string): MailContent {
  const data = {
    subject: plain(subject),
    lang,
    siteName: plain(siteName),
    heading: plain(heading),
    blocks: blocks.map(readBlock),
    foot: plain(foot),
  }
  return {
    subject,
    text: `${textViews
      .render('/mail.text.eta', { ...data, wrap })
      .trim()
      .replace(/\n{3,}/g, '\n\n')}\n`,
    html: htmlViews.render('/mail.html.eta', data).trimStart(),
  }
}

const VIEWS = { views: fileURLToPath(new URL('.', import.meta.url)), cache: true, autoTrim: false } as const
const htmlViews = new Eta({ ...VIEWS, autoEscape: true, escapeFunction: (value) => escapeHtml(String(value)) })
const textViews = new Eta({ ...VIEWS, autoEscape: false })

function readBlock(block: MailBlock): MailBlock {
  if ('paragraph' in block) return { paragraph: plain(block.paragraph) }
  if ('code' in block) return { code: plain(block.code) }
  const url = URL.canParse(block.url) ? new URL(block.url) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new TypeError('the button of a mail must lead to an http address')
  // In ASCII and without a space, whatever was given: programs that look for links end them there.
  return { button: plain(block.button), url: url.href }
}

/** On one line, and without what turns the reading direction round. */
function plain(text: string): string {
  return text
    .replace(/[\p{Cc}\s\u2028\u2029]+/gu, ' ')
    .replace(/[\u202A-\u202E\u2066-\u2069]/g, '')
    .trim()
}

/** Lines of at most 72 characters, where there are spaces. */
function wrap(text: string): string {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= LINE_LENGTH) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.join('\n')
}

/** RFC 5322 section 2.1.1 asks for 78 at most, and answers quote with two more. */
const LINE_LENGTH = 72
