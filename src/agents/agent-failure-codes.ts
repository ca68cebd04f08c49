import type { FailureEntry } from '../failure-codes.ts';

/** What can be wrong with agents, and with the calls that ring at them. */
export const AGENT_FAILURES: Readonly<Record<string, FailureEntry>> = {
  agent_name_taken: {
    title: 'The account has an agent of this name.',
    fix: 'Choose another name, or make a new token for that agent.',
    status: 409,
  },
  agents_full: {
    title: 'The account has as many agents as it may have.',
    fix: 'Remove those who answer no more.',
    status: 409,
  },
  ring_gone: {
    title: 'The call does not ring at this agent, or not any more.',
    fix: 'Nothing to do: it was given up, answered elsewhere, or is over.',
    status: 409,
  },
  agent_media_refused: {
    title: 'The audio of an agent’s browser cannot be connected.',
    fix: 'Let UDP pass between browsers and the media ports; see ASKFIRST_ADVERTISED_ADDRESS.',
    status: 422,
  },
};
