// A server of a race in a process of its own: its command line says which, and it reports its address.
import { openRaceServer } from './race-environment.ts'
import { openMembership } from './race-membership.ts'

const choice = JSON.parse(process.argv[2] ?? '{}')
const { base } = await (choice.middleware === 'membership' ? openMembership(choice.target) : openRaceServer(choice))
process.send?.({ base })
