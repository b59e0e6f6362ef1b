/**
 * Milliseconds of processor time that this process has used, in all of its threads: what a figure "a second and core" is
 * about. Other processes share the cores, and would be measured by the clock.
 */
export const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};
