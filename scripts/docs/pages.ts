// The pages that are made from the code, as they should be now.
import { openInternals } from '../../src/membership.ts'
import { describeServer } from '../../src/server/describe-server.ts'
import { apiPage } from './api.ts'
import { errorsPage } from './errors.ts'
import { envExample, optionsPage } from './options.ts'

/** Paths and texts. `read` gives the text of a file of the project. */
export async function generatedPages(read: (file: string) => string): Promise<ReadonlyMap<string, string>> {
  const internals = openInternals({ baseUrl: 'http://localhost:3000', database: 'sqlite::memory:' })
  const document = describeServer(internals)
  await internals.membership.close()
  const finish = (text: string) => `<!-- Made by \`npm run docs\` from the code. Change the code, not this page. -->\n\n${text}\n`
  const optionSources = {
    options: read('src/settings/options.ts'),
    sessionOptions: read('src/session/options.ts'),
    cookieOptions: read('src/session/cookies/options.ts'),
    serverOptions: read('src/server/table.ts'),
  }
  return new Map([
    ['.env.example', envExample(optionSources)],
    ['docs/api.md', finish(apiPage(document))],
    ['docs/options.md', finish(optionsPage(optionSources))],
    ['docs/errors.md', finish(errorsPage({ events: read('src/domain/events.ts') }))],
  ])
}
