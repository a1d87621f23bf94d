# make install, make uninstall. PREFIX, LIBDIR, INCLUDEDIR, MANDIR and DESTDIR are the usual ones.
#
# The headers go into a directory of their own, so that OpenSSL's <openssl/ssl.h> stays what it is;
# sslcache.pc names the directory.

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
INSTALL    ?= install

version := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
soname  := libsslcache.so.$(firstword $(subst ., ,$(version)))
real    := libsslcache.so.$(version)

# Where each goes; uninstall removes these files and no others.
to_lib     := $(DESTDIR)$(LIBDIR)
to_include := $(DESTDIR)$(INCLUDEDIR)/sslcache
to_man     := $(DESTDIR)$(MANDIR)

.PHONY: install uninstall

install: lib ## install under PREFIX (/usr/local), behind DESTDIR if that is set
	$(INSTALL) -d $(to_lib)/pkgconfig $(to_include)/openssl $(to_man)/man3 $(to_man)/man7
	$(INSTALL) -m 755 target/release/libsslcache.so $(to_lib)/$(real)
	ln -sf $(real) $(to_lib)/$(soname)
	ln -sf $(soname) $(to_lib)/libsslcache.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(version)|' sslcache.pc.in > $(to_lib)/pkgconfig/sslcache.pc
	chmod 644 $(to_lib)/pkgconfig/sslcache.pc
	$(INSTALL) -m 644 include/sslcache.h $(to_include)/sslcache.h
	$(INSTALL) -m 644 include/openssl/ssl.h $(to_include)/openssl/ssl.h
	$(INSTALL) -m 644 man/sslcache.3 $(to_man)/man3/sslcache.3
	$(INSTALL) -m 644 man/sslcache.7 $(to_man)/man7/sslcache.7

uninstall: ## remove what install put there
	rm -f $(to_lib)/$(real) $(to_lib)/$(soname) $(to_lib)/libsslcache.so
	rm -f $(to_lib)/pkgconfig/sslcache.pc
	rm -f $(to_include)/sslcache.h $(to_include)/openssl/ssl.h
	rm -f $(to_man)/man3/sslcache.3 $(to_man)/man7/sslcache.7
	-test ! -d $(to_include) || rmdir $(to_include)/openssl $(to_include)

.PHONY: abi
abi: ## write abi/libsslcache.abi again: after a new function, or with a new SONAME
	tests-c/install/abi.sh --bless
