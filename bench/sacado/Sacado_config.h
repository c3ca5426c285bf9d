// Debian's Sacado is configured for the rest of Trilinos (Kokkos, Teuchos, MPI). Its numbers need none of that: this file stands before
// Sacado's own on the include path, includes it, and takes those parts out, so that libtrilinos-sacado-dev alone is enough.
#pragma GCC system_header
#include_next <Sacado_config.h>
#undef HAVE_SACADO_TEUCHOSCORE
#undef HAVE_SACADO_TEUCHOSCOMM
#undef HAVE_SACADO_TEUCHOSNUMERICS
#undef HAVE_SACADO_TEUCHOSKOKKOSCOMM
#undef HAVE_SACADO_KOKKOSMPICOMM
#undef HAVE_SACADO_KOKKOSCORE
#undef HAVE_SACADO_KOKKOSCONTAINERS
