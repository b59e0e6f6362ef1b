/** `/etc/fail2ban/filter.d/companion.conf`. Nothing of an attacker's stands before the address. */
export const FILTER = `# Companion: decisions that deny. Written by: companion fail2ban filter
# Its line comes with \`log: { security: /var/log/companion/security.log }\` in companion.yaml.
[Definition]
failregex = ^\\s*companion\\[\\d+\\]: verdict=deny src=<SUBNET> port=\\d+ proto=\\S+ method=\\S+ reason=
ignoreregex =
datepattern = ^%%Y-%%m-%%dT%%H:%%M:%%S\\.%%fZ
`;

/** \`/etc/fail2ban/jail.d/companion.conf\`. One line is enough: companion has weighed the evidence already. */
export const JAIL = `# Companion: bans in the firewall what companion denies. Written by: companion fail2ban jail
[companion]
enabled  = true
filter   = companion
logpath  = /var/log/companion/security.log
maxretry = 1
findtime = 10m
bantime  = 1h
port     = 0:65535
protocol = all
`;
