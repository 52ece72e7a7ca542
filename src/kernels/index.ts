export { activeBackend, type Backend, setBackend } from './backend.ts';
