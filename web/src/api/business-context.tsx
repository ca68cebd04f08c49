import { useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { systemClock } from '../../../src/platform/clock.ts';
import { makeBusinessClient, type BusinessClient } from './business-client.ts';
import { followStream } from './event-stream.ts';
import { makeRefresher } from './refresher.ts';

export type Business = {
  client: BusinessClient;
  /** True while the server tells us of changes by itself. */
  live: boolean;
  /** How often to ask anyway: often while the stream is down, rarely as a safety net else. */
  pollMs: number;
};

const BusinessContext = createContext<Business | null>(null);

const POLL_WITHOUT_STREAM_MS = 5_000;
const POLL_WITH_STREAM_MS = 20_000;

/** Opens the business half for one API key: its client and its stream of changes. */
export function BusinessProvider(props: { apiKey: string; children: ReactNode }) {
  const queryClient = useQueryClient();
  const [live, setLive] = useState(false);
  const client = useMemo(() => makeBusinessClient(location.origin, props.apiKey), [props.apiKey]);

  useEffect(() => {
    const refresher = makeRefresher(systemClock, () => {
      void queryClient.invalidateQueries({ queryKey: ['business'] });
    });
    const stop = followStream({
      url: `${client.baseUrl}/v1/stream`,
      headers: { authorization: `Bearer ${client.apiKey}` },
      clock: systemClock,
      fetch: (...args) => fetch(...args),
      onMessage: refresher.changed,
      onLive(now) {
        setLive(now);
        // What changed while the stream was down was not told.
        if (now) refresher.changed();
      },
    });
    return () => {
      stop();
      refresher.stop();
    };
  }, [client, queryClient]);

  const business = useMemo<Business>(
    () => ({ client, live, pollMs: live ? POLL_WITH_STREAM_MS : POLL_WITHOUT_STREAM_MS }),
    [client, live],
  );
  return <BusinessContext value={business}>{props.children}</BusinessContext>;
}

export function useBusiness(): Business {
  const business = useContext(BusinessContext);
  if (business === null) throw new Error('useBusiness needs a BusinessProvider above it');
  return business;
}
