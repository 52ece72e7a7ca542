/** Light, dark, or as the system says; remembered where storage is allowed. */
import { element } from './dom.ts';

const themes = ['auto', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];
const titles: Record<Theme, string> = {
  auto: 'Theme: follows the system',
  light: 'Theme: light',
  dark: 'Theme: dark',
};

function stored(): Theme {
  try {
    const value = localStorage.getItem('theme');
    return themes.find((theme) => theme === value) ?? 'auto';
  } catch {
    return 'auto';
  }
}

function apply(theme: Theme, button: HTMLButtonElement): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  button.title = titles[theme];
}

export function bindTheme(): void {
  const button = element('theme', HTMLButtonElement);
  let theme = stored();
  apply(theme, button);
  button.addEventListener('click', () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length]!;
    apply(theme, button);
    try {
      localStorage.setItem('theme', theme);
    } catch {
      // a private window without storage: the choice lasts for this page
    }
  });
}
