// What doctor says of the domain that mails come from, by a DNS server that really answers.
import { describe, expect, test } from 'vitest'
import { checkMailDomain } from '../../src/cli/doctor/mail-domain.ts'
import { resolverFor, type Zone } from '../support/dns-server.ts'

const SPF = ['v=spf1 include:mail.example.net -all']
const DMARC = ['v=DMARC1; p=reject']

async function foundFor(zone: Zone | 'silent', domain = 'example.org') {
  return checkMailDomain(domain, await resolverFor(zone))
}

describe('an operator whose domain', () => {
  test('has both records reads that it has', async () => {
    expect(await foundFor({ 'example.org': [SPF], '_dmarc.example.org': [DMARC] })).toEqual([
      { mark: 'ok', text: expect.stringContaining('example.org has an SPF record') },
      { mark: 'ok', text: 'example.org has a DMARC record.' },
    ])
  })

  test.each<[string, Zone]>([
    ['does not exist', {}],
    ['has no text records', { 'example.org': undefined, '_dmarc.example.org': undefined }],
    [
      'has only others',
      { 'example.org': [['google-site-verification=1'], ['v=spf10 -all']], '_dmarc.example.org': [['v=DMARC10']] },
    ],
  ])('%s is told what to add', async (_how, zone) => {
    expect(await foundFor(zone)).toEqual([
      { mark: 'warning', text: expect.stringContaining('add a TXT record like "v=spf1') },
      { mark: 'warning', text: expect.stringContaining('add a TXT record at _dmarc.example.org') },
    ])
  })

  test('has a long record in pieces is not told that it has none', async () => {
    const pieces = ['v=sp', `f1 ip4:192.0.2.1${' ip4:192.0.2.2'.repeat(8)}`, ' -all']
    expect((await foundFor({ 'example.org': [pieces] }))[0]).toMatchObject({ mark: 'ok' })
  })

  test('has two SPF records is told that none counts', async () => {
    const [spf] = await foundFor({ 'example.org': [SPF, ['v=spf1 ~all']] })
    expect(spf).toEqual({ mark: 'warning', text: expect.stringContaining('2 SPF records, and mailboxes then use none') })
  })

  test.each(['v=spf1 +all', 'v=spf1 a mx all'])('says %s is told that this lets everybody send', async (record) => {
    const [spf] = await foundFor({ 'example.org': [[record]] })
    expect(spf).toEqual({ mark: 'warning', text: expect.stringContaining('lets every server in the world send') })
  })

  test('is below one with a DMARC record is served by that', async () => {
    const [, dmarc] = await foundFor({ 'mail.club.example.org': [SPF], '_dmarc.example.org': [DMARC] }, 'mail.club.example.org')
    expect(dmarc).toMatchObject({ mark: 'ok' })
  })

  test('cannot be looked up reads that nothing was checked, and is not told that it is wrong', async () => {
    const found = await foundFor('silent')
    expect(found).toHaveLength(2)
    for (const finding of found)
      expect(finding).toEqual({ mark: 'warning', text: expect.stringMatching(/DNS says nothing .* were not checked/) })
  })
})
