import { useEffect } from 'react';
import type { AgentMeView } from '../../../src/agents/agent-views.ts';

const TITLE = 'Answer calls · Askfirst';

/** Whoever is in another tab must see that a call rings. */
export function useTabTitle(call: AgentMeView['call']): void {
  const state = call?.state;
  useEffect(() => {
    if (state === 'ringing') document.title = `Incoming call · ${TITLE}`;
    if (state === 'answered') document.title = `In a call · ${TITLE}`;
    return () => {
      document.title = TITLE;
    };
  }, [state]);
}
