// Debian's rules file generates this one; it only names search paths for
// modules.
#define DEB_HOST_MULTIARCH "x86_64-linux-gnu"
