// Checks what the domain of MAIL_FROM says about who may send for it: SPF and DMARC.
import { Resolver } from 'node:dns/promises'
import { type Finding, ok, warning } from './finding.ts'

export type TextLookup = Pick<Resolver, 'resolveTxt'>

/** One short try for each name: a machine without DNS must not make the command wait. */
const LOOKUP = { timeout: 2000, tries: 1 } as const
const NO_SUCH_RECORD: ReadonlySet<string | undefined> = new Set(['ENODATA', 'ENOTFOUND'])

/** A resolver that does not answer is no fault of the site. */
export async function checkMailDomain(domain: string, dns: TextLookup = new Resolver(LOOKUP)): Promise<readonly Finding[]> {
  const spf = recordsAt(dns, domain, /^v=spf1(?: |$)/i).then((records) => spfFinding(domain, records))
  const dmarc = dmarcOf(dns, domain).then((record) => dmarcFinding(domain, record))
  return Promise.all([spf, dmarc].map((finding) => finding.catch((error: unknown) => unanswered(domain, error))))
}

function spfFinding(domain: string, records: readonly string[]): Finding {
  const [record, another] = records
  if (record === undefined)
    return warning(
      `${domain} has no SPF record, so mailboxes cannot see that your mail server may send for it: add a TXT record like "v=spf1 include:YOUR-PROVIDER -all".`,
    )
  // RFC 7208 section 4.5.
  if (another !== undefined)
    return warning(`${domain} has ${records.length} SPF records, and mailboxes then use none: leave one.`)
  if (/ \+?all(?: |$)/i.test(record))
    return warning(`The SPF record of ${domain} lets every server in the world send for it: end it with -all or ~all.`)
  return ok(`${domain} has an SPF record. Whether it names your mail server, the headers of a test mail say: spf=pass.`)
}

function dmarcFinding(domain: string, record: string | undefined): Finding {
  if (record === undefined)
    return warning(
      `${domain} has no DMARC record, and large mailboxes refuse or hide mails without one: add a TXT record at _dmarc.${domain} like "v=DMARC1; p=none".`,
    )
  return ok(`${domain} has a DMARC record.`)
}

/** That of the domain, or of the nearest domain above that has one. */
async function dmarcOf(dns: TextLookup, domain: string): Promise<string | undefined> {
  const labels = domain.split('.')
  for (let at = 0; at < labels.length - 1; at++) {
    const [record] = await recordsAt(dns, ['_dmarc', ...labels.slice(at)].join('.'), /^v=DMARC1 *(?:;|$)/i)
    if (record !== undefined) return record
  }
  return undefined
}

/** The TXT records of a name that fit; none if there is no such name. */
async function recordsAt(dns: TextLookup, name: string, pattern: RegExp): Promise<readonly string[]> {
  try {
    const records = await dns.resolveTxt(name)
    // A long record comes in pieces, without spaces between them: RFC 7208 section 3.3.
    return records.map((pieces) => pieces.join('')).filter((record) => pattern.test(record))
  } catch (error) {
    if (NO_SUCH_RECORD.has(codeOf(error))) return []
    throw error
  }
}

function unanswered(domain: string, error: unknown): Finding {
  return warning(`DNS says nothing about ${domain} (${codeOf(error) ?? 'no answer'}), so SPF and DMARC were not checked.`)
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
