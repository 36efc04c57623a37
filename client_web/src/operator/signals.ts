/** What is heard and felt at a scan: two tones and a pulse, so that nobody must look at the screen. */
import type { Tone } from '../core/check_ins';

/** Frequencies in Hz, one after the other; rising is good, falling is not. */
const TONES: Record<Tone, readonly number[]> = {
  reading: [1760],
  good: [880, 1320],
  saved: [660, 880],
  again: [660, 660],
  bad: [330, 165],
};
const TONE_S = 0.11;
const TICK_S = 0.03;
const LOUDNESS = 0.25;

/** Milliseconds on, off, on … */
const PULSES: Record<Tone, readonly number[]> = {
  reading: [15],
  good: [60],
  saved: [60, 40, 60],
  again: [120, 60, 120],
  bad: [350],
};

let audio: AudioContext | null = null;

/** To be called in a press: browsers keep pages silent until then. */
export function allowSound(): void {
  try {
    audio ??= new AudioContext();
    void audio.resume();
  } catch {
    audio = null; // no sound device: colour, shape and word are there
  }
}

export function signal(tone: Tone): void {
  if ('vibrate' in navigator) navigator.vibrate([...PULSES[tone]]);
  if (!audio || audio.state !== 'running') return;
  const lengthS = tone === 'reading' ? TICK_S : TONE_S;
  TONES[tone].forEach((frequency, at) => play(audio as AudioContext, frequency, at * TONE_S, lengthS));
}

function play(context: AudioContext, frequency: number, afterS: number, lengthS: number): void {
  const from = context.currentTime + afterS;
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setValueAtTime(0, from);
  gain.gain.linearRampToValueAtTime(LOUDNESS, from + 0.005);
  gain.gain.exponentialRampToValueAtTime(0.001, from + lengthS);
  const tone = new OscillatorNode(context, { frequency, type: 'triangle' });
  tone.connect(gain).connect(context.destination);
  tone.start(from);
  tone.stop(from + lengthS);
}
