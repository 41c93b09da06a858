// Renders the content of a mail as text and as HTML, from the same blocks.
import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'
import { escapeHtml } from '../domain/escape-html.ts'
import type { MailContent } from './mail.ts'

/** Texts in the language of the recipient. Line breaks become spaces, so that no username can start a line. */
export type MailBlock =
  | { readonly paragraph: string }
  /** A link; its URL is also shown below, on a line of its own. */
  | { readonly button: string; readonly url: string }
  /** A code to type. */
  | { readonly code: string }

export interface Composition {
  readonly subject: string
  /** For `<html lang>`. */
  readonly lang: string
  readonly heading: string
  readonly blocks: readonly MailBlock[]
  /** Why the person got the mail, and what to do if they did not cause it. */
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
  // `href` is ASCII without spaces: programs that find links in texts would end them there.
  return { button: plain(block.button), url: url.href }
}

/** On one line, without direction overrides. */
function plain(text: string): string {
  return text
    .replace(/[\p{Cc}\s\u2028\u2029]+/gu, ' ')
    .replace(/[\u202A-\u202E\u2066-\u2069]/g, '')
    .trim()
}

/** Wraps at spaces into lines of at most 72 characters. */
function wrap(text: string): string {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= LINE_LENGTH) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.join('\n')
}

/** RFC 5322 section 2.1.1 recommends at most 78, and a quote adds two per reply. */
const LINE_LENGTH = 72
