dist_man_MANS += man/postern.1 man/postern.conf.5 man/postern-sandbox.1
