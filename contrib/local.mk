postern_sysconfdir = $(sysconfdir)/postern
dist_postern_sysconf_DATA = contrib/postern.conf.sample

demodir = $(pkgdatadir)/demo
dist_demo_DATA = \
	contrib/demo/01-welcome.eml \
	contrib/demo/02-disk-alert.eml \
	contrib/demo/03-order.eml \
	contrib/demo/04-scan.eml \
	contrib/demo/05-ticket-reply.eml \
	contrib/demo/06-backup-report.eml \
	contrib/demo/07-bounce.eml

EXTRA_DIST += contrib/postern.service contrib/postern.socket contrib/quickstart \
	contrib/fail2ban/filter.d/postern.conf contrib/fail2ban/jail.d/postern.conf
if INSTALL_UNIT
systemdsystemunit_DATA = contrib/postern.service
endif
