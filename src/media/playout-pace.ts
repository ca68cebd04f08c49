/** Frames over which the highest level is taken: half a second. */
const WINDOW_FRAMES = 25;
/** Far from the target: a period may go or come every 100 ms instead. */
const HASTY_FRAMES = 5;
const HASTY_DIFFERENCE = 2;
/** Above the target by more than this is too much delay, below it too little reserve. */
const SLACK_ABOVE = 0.5;
const SLACK_BELOW = 0.5;

/**
 * Decides when sound is to be played a period faster or slower. The level right after the
 * quickest packet is the delay that the buffer adds; it is the highest of a window, and is held
 * near the target. A sender whose clock is off moves it by a frame in minutes, and is met so too.
 */
export class PlayoutPace {
  #frames = 0;
  #highest = 0;

  /** Once per frame: the sound that waits and the target, both in frames. */
  next(level: number, target: number): 'faster' | 'slower' | 'even' {
    this.#frames += 1;
    this.#highest = Math.max(this.#highest, level);
    const above = this.#highest - target;
    const hasty = above > HASTY_DIFFERENCE && this.#frames >= HASTY_FRAMES;
    if (this.#frames < WINDOW_FRAMES && !hasty) return 'even';
    this.restart();
    if (above > SLACK_ABOVE) return 'faster';
    return above < -SLACK_BELOW ? 'slower' : 'even';
  }

  /** The sound broke off: what was measured before says nothing of what comes. */
  restart(): void {
    this.#frames = 0;
    this.#highest = 0;
  }
}
