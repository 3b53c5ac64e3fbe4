# SPDX-License-Identifier: Apache-2.0
foreach(name state command decide batch engine registry cursor_merge retry_plan)
    cw_test(services/delivery/${name}_test delivery)
endforeach()
cw_test(services/delivery/decide_model_test delivery)
target_sources(test_services_delivery_decide_model_test PRIVATE
    ${CMAKE_CURRENT_LIST_DIR}/model_store.c ${CMAKE_CURRENT_LIST_DIR}/model_client.c)
cw_test(services/delivery/service_test delivery)
target_sources(test_services_delivery_service_test PRIVATE ${CMAKE_CURRENT_LIST_DIR}/stage.c)
