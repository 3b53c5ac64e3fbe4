# SPDX-License-Identifier: Apache-2.0
foreach(name slice arena buf list text map siphash id clock log crash metrics config words)
    cw_test(services/lib/base/${name}_test base)
endforeach()
