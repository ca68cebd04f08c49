import { useEffect } from 'react';
import type { SimCall } from '../../../simulator/control-types.ts';

const TITLE = 'Askfirst';

/** Says it in the tab's title too: whoever is in another tab must see that the phone rings. */
export function useCallTitle(call: SimCall | null): void {
  const state = call?.state;
  useEffect(() => {
    if (state === 'ringing') document.title = `Incoming call · ${TITLE}`;
    if (state === 'answered') document.title = `In a call · ${TITLE}`;
    return () => {
      document.title = TITLE;
    };
  }, [state]);
}
