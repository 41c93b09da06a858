// An authority of a test's own and certificates that it signs, made by openssl.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Files {
  readonly key: string
  readonly cert: string
}

export interface Authority extends Files {
  /** A certificate for a name or an address, as openssl writes it: `IP:127.0.0.1`, `DNS:localhost`. */
  sign(folder: string, name: string, subject: string): Files
}

export function makeAuthority(folder: string, name: string): Authority {
  const files = { key: join(folder, `${name}.key`), cert: join(folder, `${name}.crt`) }
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', files.key]
  openssl('req', '-x509', ...made, '-out', files.cert, '-days', '2', '-subj', `/CN=${name}`)
  return {
    ...files,
    sign: (place, server, subject) =>
      sign(files, { key: join(place, `${server}.key`), cert: join(place, `${server}.crt`) }, subject),
  }
}

function sign(authority: Files, files: Files, subject: string): Files {
  const request = `${files.cert}.request`
  const names = `${files.cert}.names`
  writeFileSync(names, `subjectAltName=${subject}\n`)
  openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    files.key,
    '-out',
    request,
    '-subj',
    '/CN=server',
  )
  const by = ['-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial']
  openssl('x509', '-req', '-in', request, ...by, '-out', files.cert, '-days', '2', '-extfile', names)
  return files
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' })
}
