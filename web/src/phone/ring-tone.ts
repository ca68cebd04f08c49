const CYCLE_S = 2.4;
const CYCLES_MAX = 40;
/** Start in the cycle and pitch in Hz of each soft note; a rising fourth, twice. */
const NOTES: ReadonlyArray<readonly [number, number]> = [
  [0, 587],
  [0.18, 784],
  [0.55, 587],
  [0.73, 784],
];

/** Rings until the returned function is called, at most 96 s. No sound file is needed. */
export function startRinging(): () => void {
  const context = new AudioContext();
  const master = context.createGain();
  master.gain.value = 0.12;
  master.connect(context.destination);
  const begin = context.currentTime + 0.05;
  const oscillator = context.createOscillator();
  const envelope = context.createGain();
  oscillator.type = 'triangle';
  envelope.gain.value = 0;
  oscillator.connect(envelope).connect(master);
  for (let cycle = 0; cycle < CYCLES_MAX; cycle += 1) {
    for (const [startS, hz] of NOTES) {
      const at = begin + cycle * CYCLE_S + startS;
      oscillator.frequency.setValueAtTime(hz, at);
      // A short rise and fall instead of on and off: a jump in level is heard as a click.
      envelope.gain.setValueAtTime(0, at);
      envelope.gain.linearRampToValueAtTime(1, at + 0.02);
      envelope.gain.linearRampToValueAtTime(0, at + 0.16);
    }
  }
  oscillator.start(begin);
  oscillator.stop(begin + CYCLES_MAX * CYCLE_S);
  return () => void context.close();
}
