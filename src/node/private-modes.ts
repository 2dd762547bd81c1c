/** Modes of what jobs work on and with: it may be secret, so that it is for the daemon's user only, whatever the umask says. */
export const privateDirectoryMode = 0o700;
export const privateFileMode = 0o600;
