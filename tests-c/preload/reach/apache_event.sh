# Apache with the event MPM: children that are forked; a graceful restart brings new ones.
title="Apache, event"
mpm=event
. "$reach/apache.inc"
