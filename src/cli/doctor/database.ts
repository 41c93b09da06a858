// The database: whether it is there, sound, of this program's schema, and whether every password in it can still be checked.
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { newToken, Secret } from '../../domain/secret.ts'
import type { Config } from '../../server/config.ts'
import { explainFailure } from '../../server/explain-failure.ts'
import type { House } from '../../server/house.ts'
import { passwordsAfter, quickCheck } from '../../storage/inspect.ts'
import { t } from '../terminal.ts'
import { inHouse } from '../with-house.ts'
import { bad, type Finding, fine, odd } from './finding.ts'
import { checkRedis } from './redis.ts'

const PAGE = 500

export async function checkDatabase(config: Config): Promise<readonly Finding[]> {
  const { databaseFile: file } = config
  if (file === undefined && config.database.startsWith('sqlite:')) return [odd(t('cli.doctor.database_memory'))]
  if (file !== undefined && !existsSync(file)) return [checkPlace(file)]
  if (file !== undefined && (!isWritable(file) || !isWritable(dirname(file)))) return [bad(unwritable(file))]
  try {
    const findings: Finding[] = []
    // No secret file is made by looking.
    const looking = config.secrets.length > 0 ? config : { ...config, secrets: [new Secret(newToken())] }
    await inHouse(looking, async (house) => {
      const schema = await checkSchema(house, config)
      findings.push(schema, await checkSoundness(house, file))
      // In another schema nobody knows where the passwords are.
      if (schema.mark === 'ok') findings.push(await checkPepper(house))
      findings.push(...(await checkRedis(house, config)))
    })
    return findings
  } catch (error) {
    return [bad(explainFailure(error, config, t) ?? String(error))]
  }
}

/** Where the file is going to be. */
function checkPlace(file: string): Finding {
  const folder = nearestFolder(file)
  if (!statSync(folder).isDirectory()) return bad(t('cli.failure.no_folder', { folder }))
  return isWritable(folder) ? odd(t('cli.doctor.database_missing', { file })) : bad(unwritable(file))
}

async function checkSchema({ core }: House, config: Config): Promise<Finding> {
  try {
    await core.db.check()
    return fine(t('cli.doctor.schema'))
  } catch (error) {
    return bad(explainFailure(error, config, t) ?? String(error))
  }
}

async function checkSoundness({ core }: House, file: string | undefined): Promise<Finding> {
  // A server looks after its own files.
  if (file === undefined) return fine(t('cli.doctor.database_server'))
  const rows = await core.db.all(quickCheck, {})
  const isSound = rows.length === 1 && rows[0]?.quick_check === 'ok'
  return isSound ? fine(t('cli.doctor.sound')) : bad(t('cli.doctor.unsound'))
}

/** Counts the accounts that a pepper which is no longer set would lock out. */
async function checkPepper({ core }: House): Promise<Finding> {
  let lockedOut = 0
  let after = ''
  for (;;) {
    const page = await core.db.all(passwordsAfter, { after, limit: PAGE })
    lockedOut += page.filter(({ value }) => core.passwords.lacksPepper(value)).length
    after = page.at(-1)?.id ?? ''
    if (page.length < PAGE) break
  }
  return lockedOut === 0 ? fine(t('cli.doctor.pepper')) : bad(t.count('cli.doctor.pepper_missing', lockedOut))
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

function nearestFolder(file: string): string {
  const folder = dirname(file)
  return existsSync(folder) || folder === dirname(folder) ? folder : nearestFolder(folder)
}

function unwritable(file: string): string {
  return t('cli.doctor.database_unwritable', { folder: dirname(file) })
}
