/** The simplest campaign as a journey: ask with a template, wait, and call who said yes. */
export type AskThenCall = {
  template: string;
  language?: string | undefined;
  purpose: string;
  /** Of the template, in order. */
  templateVariables?: readonly string[] | undefined;
  /** How long an answer is waited for, such as 24h. */
  waitFor: string;
  endpoint?: string | undefined;
  script?: string | undefined;
  scriptVariables?: Readonly<Record<string, string>> | undefined;
  ringTimeoutMs?: number | undefined;
};

/** A journey like any other: it is checked, shown, and can be changed for the next campaign. */
export function askThenCallJourney(
  name: string,
  wish: AskThenCall,
  variables: readonly string[],
): Record<string, unknown> {
  const { template, language, purpose, templateVariables, waitFor } = wish;
  const { endpoint, script, scriptVariables, ringTimeoutMs } = wish;
  return {
    name,
    about: 'Made for a campaign: asks, and calls whoever says yes.',
    variables: Object.fromEntries(variables.map((each) => [each, {}])),
    steps: [
      {
        name: 'ask',
        do: 'ask',
        template,
        ...(language === undefined ? {} : { language }),
        ...(templateVariables === undefined ? {} : { variables: templateVariables }),
        purpose,
        onRefused: 'notAsked',
      },
      {
        name: 'yes',
        do: 'wait',
        for: 'yes',
        until: { after: waitFor },
        else: 'silent',
        onNo: 'declined',
      },
      {
        name: 'call',
        do: 'call',
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(script === undefined ? {} : { script }),
        ...(scriptVariables === undefined ? {} : { scriptVariables }),
        ...(ringTimeoutMs === undefined ? {} : { ringTimeoutMs }),
        onRefused: 'notCalled',
      },
      { name: 'how', do: 'branch', on: 'outcome', cases: { completed: 'reached' }, else: 'missed' },
      { name: 'reached', do: 'end', result: 'reached' },
      { name: 'missed', do: 'end', result: 'not_reached' },
      { name: 'silent', do: 'end', result: 'no_answer' },
      { name: 'declined', do: 'end', result: 'declined' },
      { name: 'notAsked', do: 'end', result: 'not_asked' },
      { name: 'notCalled', do: 'end', result: 'not_called' },
    ],
  };
}
