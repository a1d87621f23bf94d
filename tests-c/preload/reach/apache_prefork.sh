# Apache with the prefork MPM: children that are forked; a graceful restart brings new ones.
title="Apache, prefork"
mpm=prefork
. "$reach/apache.inc"
