import type { Day } from './day.ts';
import type { Rows } from './rows.ts';
import type { World } from './world.ts';

/** What an invariant may look at. */
export type Look = { world: World; day: Day; rows: Rows; when: 'step' | 'end' };
