/** Play, pause, position, and which source is on; with the keys a player has. */
import type { FrameSource } from '../sources/types.ts';
import { settings } from '../state/settings.ts';
import { element, paintRange, setText } from './dom.ts';

function seconds(value: number): string {
  if (value < 60) return `${value.toFixed(1)} s`;
  const whole = Math.floor(value);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** Whether a key press belongs to the control that has the focus. */
function typing(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, select, button, summary, dialog') !== null;
}

export class Transport {
  readonly #play = element('play', HTMLButtonElement);
  readonly #icon = element('play-icon', SVGUseElement);
  readonly #scrub = element('scrub', HTMLInputElement);
  readonly #time = element('time', HTMLElement);
  readonly #truth = element('truth', HTMLInputElement);
  #source: FrameSource | null = null;
  #scrubbing = false;

  constructor() {
    this.#play.addEventListener('click', () => this.#toggle());
    this.#scrub.addEventListener('input', () => {
      const source = this.#source;
      source?.seek((Number(this.#scrub.value) / 1000) * source.duration);
      this.draw();
    });
    this.#scrub.addEventListener('pointerdown', () => (this.#scrubbing = true));
    this.#scrub.addEventListener('pointerup', () => (this.#scrubbing = false));
    this.#scrub.addEventListener('pointercancel', () => (this.#scrubbing = false));
    window.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      const now = settings.get();
      if (event.key === ' ') this.#toggle();
      else if (event.key === 'g') settings.set({ showTruth: !now.showTruth });
      else if (event.key === 'l') settings.set({ synced: !now.synced });
      else return;
      event.preventDefault();
    });
  }

  setSource(source: FrameSource): void {
    this.#source = source;
    for (const kind of ['clip', 'webcam'] as const) {
      element(`source-${kind}`, HTMLButtonElement).ariaPressed = String(source.kind === kind);
    }
    const file = source.kind === 'still' || source.kind === 'video';
    element('source-file', HTMLButtonElement).ariaPressed = String(file);
    this.#truth.disabled = source.kind !== 'clip';
    this.draw();
  }

  /** Follows the source; called a few times a second. */
  draw(): void {
    const source = this.#source;
    if (source === null) return;
    const still = source.kind === 'still';
    this.#play.disabled = still;
    this.#scrub.classList.toggle('absent', source.duration === 0);
    this.#play.ariaLabel = source.playing ? 'Pause' : 'Play';
    const icon = source.playing ? '#i-pause' : '#i-play';
    if (this.#icon.getAttribute('href') !== icon) this.#icon.setAttribute('href', icon);
    const endless = source.duration === 0;
    this.#scrub.disabled = endless;
    if (!this.#scrubbing) {
      this.#scrub.value = endless ? '0' : String(Math.round((source.position / source.duration) * 1000));
    }
    paintRange(this.#scrub);
    const time = endless
      ? seconds(source.position)
      : `${seconds(source.position)} / ${seconds(source.duration)}`;
    setText(this.#time, still ? 'picture' : source.kind === 'webcam' ? 'live' : time);
  }

  #toggle(): void {
    const source = this.#source;
    if (source === null) return;
    if (source.playing) source.pause();
    else source.play();
    this.draw();
  }
}
