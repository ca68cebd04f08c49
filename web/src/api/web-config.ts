import { useQuery } from '@tanstack/react-query';

/** What the server tells its page before any key is known. */
export type WebConfig = { simulatorUrl: string | null; version: string };

export function useWebConfig() {
  return useQuery({
    queryKey: ['config'],
    staleTime: Infinity,
    // The page may be opened a moment before the server listens.
    retry: true,
    queryFn: async (): Promise<WebConfig> => {
      const answer = await fetch('/web-config.json', { cache: 'no-store' });
      if (!answer.ok) throw new Error(`web-config.json answered ${answer.status}`);
      return (await answer.json()) as WebConfig;
    },
  });
}
