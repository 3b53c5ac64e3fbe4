# SPDX-License-Identifier: Apache-2.0
cw_test(adapters/xmpp/jid_test xmpp)
cw_test(adapters/xmpp/translate_test xmpp)
cw_test(adapters/xmpp/stanza_test xmpp)
cw_test(adapters/xmpp/answer_test xmpp)
cw_test(adapters/xmpp/recover_test xmpp)
cw_test(adapters/xmpp/seat_test xmpp)
# The whole adapter, with fakes of delivery, of users and of the legacy server around it.
foreach(name bridge recovery presence)
    cw_test(adapters/xmpp/${name}_test xmpp)
    target_link_libraries(test_adapters_xmpp_${name}_test PRIVATE PkgConfig::MARIADB)
    target_compile_options(test_adapters_xmpp_${name}_test PRIVATE -Wno-unused-function)
endforeach()
