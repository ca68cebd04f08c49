/** What the endpoint has for a customer whom nobody answers, and how long at most. */
export type NobodyFacts = {
  action: 'end' | 'announce_and_end' | 'queue_with_music' | 'script';
  /** The end code that the call would have had. */
  reason: string;
  until: number;
};

/** The customer has picked up, and no target of the endpoint answers. */
export type NobodyEvent = { type: 'CallNobodyThere'; at: number } & NobodyFacts;
