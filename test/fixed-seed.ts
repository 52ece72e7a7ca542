/** Property tests draw the same cases in every run, so that the gate says the same of the same code. */
import fc from 'fast-check';

fc.configureGlobal({ seed: 20_261_129 });
