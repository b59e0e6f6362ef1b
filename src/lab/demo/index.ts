/**
 * The demonstration: the real svwar against a lab, with a phone that must not notice, told live in the terminal.
 * Lines of text and figures go out; every figure is measured in this run.
 * Must end by itself and leave nothing behind.
 */
export { runDemo } from './demo.ts';
