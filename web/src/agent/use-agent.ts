import { useEffect, useMemo, useState } from 'react';
import type { AgentMeView } from '../../../src/agents/agent-views.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { isWrongKey, makeBusinessClient, type BusinessClient } from '../api/business-client.ts';
import { followStream } from '../api/event-stream.ts';

export type AgentLink = {
  client: BusinessClient;
  /**
   * As the stream last told; null before the first word. What an action answers is not taken: it
   * may be older than what the stream has said meanwhile, and the stream says nothing twice.
   */
  me: AgentMeView | null;
  /** The stream is open: calls can ring here. */
  live: boolean;
  /** Set where the token opens nothing, or not any more. */
  refused: Error | null;
};

/** Is there for as long as the page is open: the stream is the presence. */
export function useAgent(token: string): AgentLink {
  const client = useMemo(() => makeBusinessClient(location.origin, token), [token]);
  const [me, setMe] = useState<AgentMeView | null>(null);
  const [live, setLive] = useState(false);
  const [refused, setRefused] = useState<Error | null>(null);

  useEffect(() => {
    let isOver = false;
    // The stream tries again and again, and would not say that the token is wrong. What it has
    // said is newer than this answer: the agent is there because it is open.
    const check = (): void => {
      client.get<AgentMeView>('/v1/agents/me').then(
        (answer) => setMe((known) => known ?? answer),
        (error: unknown) => {
          if (!isOver && isWrongKey(error) && error instanceof Error) setRefused(error);
        },
      );
    };
    check();
    const stop = followStream({
      url: `${client.baseUrl}/v1/agents/me/stream`,
      headers: { authorization: `Bearer ${client.apiKey}` },
      clock: systemClock,
      fetch: (...args) => fetch(...args),
      onMessage({ event, data }) {
        if (event === 'me') setMe(JSON.parse(data) as AgentMeView);
      },
      onLive(now) {
        setLive(now);
        if (!now) check();
      },
    });
    return () => {
      isOver = true;
      stop();
    };
  }, [client]);

  return { client, me, live: live && refused === null, refused };
}
