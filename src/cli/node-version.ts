/** The versions in package.json "engines": ^22.19.0 || ^24.11.0 || >=26.0.0. */
const supported = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return (major === 22 && minor >= 19) || (major === 24 && minor >= 11) || major >= 26;
};

/** One sentence on what to do when this Node.js cannot run companion, else undefined. */
export const nodeProblem = (version: string): string | undefined => {
  if (supported(version)) return undefined;
  return `Companion needs Node.js 22.19, 24.11 or 26 and later, but this is ${version}. Install Node.js 24, for example from https://nodejs.org/en/download or your distribution's backports.`;
};
